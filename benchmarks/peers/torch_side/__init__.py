"""PyTorch's side of the comparisons, in a process of its own: `client` is for the others' side.

Beside TensorFlow in one process PyTorch was many times slower, or crashed.
"""
