"""Injection: a recording's packets put among those of somebody's own capture, in that capture's manner."""
