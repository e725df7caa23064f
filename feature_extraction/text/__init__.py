"""Text encoders, one family per file."""
