"""The live stage: a timeline played by real sockets on Android devices behind a mitmproxy gateway, in Docker."""
