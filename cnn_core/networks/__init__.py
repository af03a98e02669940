"""Networks: named, described, built, loaded, and at any moment of their training."""
