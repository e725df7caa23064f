"""Pickles of MMSA: frames of text, audio and vision, padded to one length."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.cache_import.arrays import Arrays, Part
from toolkit.cache_import.npz import frames_before, pick_key
from toolkit.cache_import.spec import Modality
from toolkit.corpora.mmsa import clip_names, read_splits
from toolkit.errors import UserError

# What else a split has a row of for each clip.
_NO_FEATURES = ("id", "raw_text", "text_bert", "annotations", "classification_labels", "regression_labels")


def open_mmsa(path: Path, modality: Modality, key: str | None = None) -> Arrays:
    """Returns the features of one modality out of a pickle of MMSA or MMSA-FET, which is read without running it.

    They are ``text (N, L, 768)``, ``audio (N, Ta, Da)`` or ``vision (N, Tv, Dv)``. ``text_bert`` is token numbers, no
    features; its second row tells the real tokens. ``audio_lengths`` and ``vision_lengths`` tell the real frames; a
    file whose modalities are aligned to the tokens has none, and its frames are those of the real tokens. The whole
    pickle is in memory once, as there is no reading it in part.

    Args:
        path: the pickle
        modality: which features
        key: name of the array, the modality's own if absent

    Raises:
        UserError: it is no such pickle, or lacks the array
    """
    splits = read_splits(path)
    shared = set.intersection(*(set(map(str, part)) for part in splits.values()))
    there = sorted(name for name in shared if not name.startswith(_NO_FEATURES) and not name.endswith("_lengths"))
    key = pick_key(path, there, modality, key)
    parts = [_part(path, split, part, key) for split, part in splits.items()]
    return (_Sound if modality == "audio" else Arrays)(path, "pickle of MMSA", key, parts)


class _Sound(Arrays):
    """COVAREP has the logarithm of nothing in places; MMSA takes zero for it (``data_loader.py``), and so do we."""

    def read(self, name: str) -> np.ndarray:
        """Returns the clip's frames; see `Origin`."""
        values = super().read(name)
        return np.where(values == -np.inf, 0, values)


def _part(path: Path, split: str, part: Mapping[str, Any], key: str) -> Part:
    names, lengths, tokens = clip_names(part), part.get(f"{key}_lengths"), part.get("text_bert")
    try:
        values = np.asarray(part[key])
        if values.ndim != 3:
            return Part(names, values)
        if lengths is not None:
            return Part(names, values, frames_before(np.asarray(lengths), values.shape[1]))
        is_token = None if tokens is None else np.asarray(tokens)[:, 1] != 0
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"{path}: '{key}' of '{split}' is no array of frames with lengths ({error}).") from None
    if is_token is None or is_token.shape != values.shape[:2]:
        return Part(names, values)
    return Part(names, values, is_token, sure=key == "text")
