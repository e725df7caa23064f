"""Encoders of face and sound together, one family per file."""
