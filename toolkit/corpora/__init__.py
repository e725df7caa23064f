"""One file per corpus; each registers a reader ``path -> Corpus``."""
