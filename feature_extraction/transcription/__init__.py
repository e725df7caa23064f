"""Transcripts for corpora that have none."""
