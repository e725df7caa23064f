"""Faces: detect, track, align, crop; the crops are kept so that no encoder decodes a video twice."""
