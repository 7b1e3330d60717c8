"""Foreign detectors: where users' classes lie, how they are run, and what they are told and asked."""
