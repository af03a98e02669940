"""Hostile input: the doors of ConvScope, and what is thrown at them.

A door is a place where something from outside comes in. `tests/core/test_hostile.py` and
`tests/app/test_hostile.py` try each one briefly, ``python -m benchmarks.hostile`` at length; all
three read the same tables.
"""
