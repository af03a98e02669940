"""What can be found out about a network: how good it is, and why it answers as it does."""
