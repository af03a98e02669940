"""Pictures: arrays in, PNG bytes out."""
