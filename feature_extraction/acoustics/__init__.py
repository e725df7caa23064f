"""Measurements of sound in plain numpy: spectra, pitch, and statistics of contours."""
