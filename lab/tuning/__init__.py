"""Tuning: a detector's thresholds chosen at a budget, judged where they were not chosen, written in its own form."""
