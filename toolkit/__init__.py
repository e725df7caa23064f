"""Shared ground of both stages: media, corpora, feature caches, metrics, networks, corruption and submissions."""
