"""Looking into a network: every layer's tensors, every unit's arithmetic and geometry."""
