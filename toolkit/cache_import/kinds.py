"""Kinds of origins, told apart by what a path is."""

from pathlib import Path

from toolkit.cache_import.folder import NpyFolder
from toolkit.cache_import.mmsa import open_mmsa
from toolkit.cache_import.npz import open_npz
from toolkit.cache_import.origin import Origin
from toolkit.cache_import.spec import Modality
from toolkit.errors import UserError

_FILES = {".npz": open_npz, ".pkl": open_mmsa, ".pickle": open_mmsa}


def open_origin(path: Path, modality: Modality, key: str | None = None) -> Origin:
    """Returns the features in a folder or file.

    Args:
        path: folder of npy files, npz file, or pickle of MMSA
        modality: of the features
        key: array of a file, the modality's usual one if absent

    Raises:
        UserError: there is no such thing, or it is none of these
    """
    if path.is_dir():
        if key is not None:
            raise UserError(f"{path} is a folder, and --key names an array of a file. Leave it out.")
        return NpyFolder(path)
    if path.suffix.lower() not in _FILES or not path.is_file():
        problem = "is nothing that features are imported from" if path.exists() else "is not there"
        raise UserError(f"{path} {problem}. Expected a folder of npy files, an npz file or a pickle of MMSA (.pkl).")
    return _FILES[path.suffix.lower()](path, modality, key)
