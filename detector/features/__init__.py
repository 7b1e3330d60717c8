"""The measured quantities: one file is one quantity, pure, from arrays to a number from 0 to 1, or None for unknown.

None may enter a score only by taking its weight away. No file here reads a table, a threshold file or a clock.
"""
