"""Training the embedded model from nothing: a world of captioned clips, the two networks, and honest measures."""
