"""The gate: thresholds and a scorecard in, a verdict per threshold out, and no pass that rests on nothing."""
