"""The gateway of a live lab: what runs in its container, and what the host knows of it."""
