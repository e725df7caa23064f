"""Audio encoders, one family per file."""
