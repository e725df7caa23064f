"""Tensor fusion, whose parts have the names and the order of those of late fusion."""

from references.lf_dnn import ORDER, options, translate

__all__ = ["ORDER", "options", "translate"]
