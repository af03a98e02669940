"""What a page shows, as a Jupyter notebook that works it out again. Needs no Keras."""
