"""What other people's published formulas have in common here: connections by pair, windows of time, verdicts."""
