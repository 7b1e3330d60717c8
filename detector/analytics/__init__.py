"""The two analytics of the bundled detector, and what they are made of."""
