"""MERTools' label archives, ``label*.npz``: dictionaries in pickles, read without trusting them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib import format as npy

from toolkit import damage
from toolkit.errors import UserError
from toolkit.pickle_reader import load_pickle


def read_label_archive(path: Path) -> pd.DataFrame:
    """Returns the labels of an archive, one row per clip, in the archive's order.

    Args:
        path: npz file; each entry is a dictionary ``clip name -> {'emo': class, 'val': valence}``, the valence being
            absent in some, in an array without dimensions, as ``numpy.savez`` writes it

    Returns:
        columns ``part`` (the entry, such as ``train_corpus``), ``name``, ``emo`` and ``val``, as they are stored, NaN
        where there is no ``val``

    Raises:
        UserError: no such file, not an archive, a pickle that asks for more than numbers and words, or another content
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Expected MERTools' label archive.") from None
    try:
        with file, zipfile.ZipFile(file) as archive:
            parts = {name.removesuffix(".npy"): _read_entry(archive, name, path) for name in archive.namelist()}
    except damage.NPZ as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} is damaged, or no npz file ({problem}). Copy or download it again.") from None
    rows = [
        (part, name, *_cells(path, part, name, label))
        for part, labels in parts.items()
        for name, label in labels.items()
    ]
    return pd.DataFrame(rows, columns=["part", "name", "emo", "val"], dtype=object)


def _read_entry(archive: zipfile.ZipFile, entry: str, path: Path) -> dict[str, Any]:
    stream = io.BytesIO(archive.read(entry))  # as a whole, so that its checksum is looked at
    major, _ = npy.read_magic(stream)
    shape, _, dtype = (npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0)(stream)
    value = load_pickle(stream, path) if shape == () and dtype.hasobject else None
    labels = value.item() if isinstance(value, np.ndarray) and value.shape == () else None
    if not isinstance(labels, dict):
        found = f"holds an array of shape {shape} and type {dtype}"
        raise UserError(f"{path}: '{entry}' {found}. Expected a dictionary of clips, as MERTools saves its labels.")
    return labels


def _cells(path: Path, part: str, name: Any, label: Any) -> tuple[Any, Any]:
    if not isinstance(name, str) or not isinstance(label, dict) or "emo" not in label:
        raise UserError(f"{path}: '{part}' has {name!r}: {label!r}. Expected a name and {{'emo': ..., 'val': ...}}.")
    return label["emo"], label.get("val", float("nan"))
