"""The parts of a baseline: what one telemetry showed, how parts count together, and the file they are kept in."""
