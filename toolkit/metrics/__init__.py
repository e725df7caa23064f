"""Scores of the tracks: classification, regression, their combination, and open vocabulary."""
