"""Pretraining of masked autoencoders on clips without labels."""
