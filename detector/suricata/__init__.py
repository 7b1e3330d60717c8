"""Real Suricata as a detector: rules read, engine run behind the fence, its alerts and its own counts read back."""
