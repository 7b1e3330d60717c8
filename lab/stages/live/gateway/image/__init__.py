"""What runs in the gateway's container: capture, mitmproxy with its addon, and the supervisor of both."""
