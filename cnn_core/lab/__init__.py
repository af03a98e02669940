"""The lab: TensorFlow in processes of its own, asked by name, answering in plain arrays."""
