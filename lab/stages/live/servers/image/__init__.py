"""What runs inside the servers' container: Python 3.13, the libraries of its image, nothing else of the lab."""
