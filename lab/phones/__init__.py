"""A phone and its owner's day: screen and lock, Doze, networks, what it remembers of names."""
