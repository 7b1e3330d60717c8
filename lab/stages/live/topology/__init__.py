"""The live lab's network: overlays, default-deny, who opened which socket, and proof that nothing left."""
