"""What platemark claims about itself, measured: one module a layer, and `platemark bench NAME` that runs it."""
