"""Stage 1: videos, sound and transcripts in, HDF5 feature caches out."""
