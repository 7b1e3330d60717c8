"""What runs in the network namespace of a container: its links and rules, its sensor, its escape attempts."""
