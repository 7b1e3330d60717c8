"""What a replay is made of: the frames of a capture, their new addresses, when each leaves, by which interface.

Only sender, outlets, conversing, namespaces, interfaces and wiring touch the network of this machine.
"""
