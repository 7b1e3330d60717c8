"""From plans to a timeline: who takes part, whom apps speak to, what networks and tunnels do to it."""
