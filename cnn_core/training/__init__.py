"""Training: what is asked for, the fit that can be paused and taken apart, and the runs on disk."""
