"""Emotion vocabularies and the valence range of the challenges."""

# Order = label id, MER2023 to MER2026 (MERTools, toolkit/globals.py).
MER_EMOTIONS = ("neutral", "angry", "happy", "sad", "worried", "surprise")
# MER2023 paper (arXiv 2304.08981), section 3.1: mean of annotators' ratings from -5 to 5.
MER_VALENCE = (-5.0, 5.0)
