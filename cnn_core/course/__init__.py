"""The course: lessons as plain data, and questions answered from live tensors. Needs no Keras."""
