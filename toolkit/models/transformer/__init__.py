"""Blocks of the masked autoencoders: attention, positions, tokens, masks, targets and the decoder, each once."""
