"""Visual encoders, one family per file."""
