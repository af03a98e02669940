"""Digits: MNIST on disk, and ink turned into what a network gets."""
