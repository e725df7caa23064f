"""Clips as masked autoencoders read them: some pictures of each, and the sound that goes with them."""
