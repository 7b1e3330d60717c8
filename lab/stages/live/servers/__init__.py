"""The servers' container: "the internet" of the live stage, and the strangers that connect into phones."""
