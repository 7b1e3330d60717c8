"""Runs held against each other: two of them (compare), or many over time (history). Nothing is judged here."""
