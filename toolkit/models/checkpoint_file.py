"""Files of weights, read without running what they ask for."""

import argparse
import pickle
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from toolkit.errors import UserError
from toolkit.pickle_reader import DAMAGE, NumberType

WRAPPINGS = ("state_dict", "model", "module")  # what trainers put around the weights; the last is DeepSpeed's
UNREADABLE = (*DAMAGE, OSError, RuntimeError, AssertionError, struct.error, zipfile.BadZipFile, SafetensorError)


def _number(kind: NumberType, data: bytes | str) -> Any:
    """Returns the number that one of numpy's scalars was pickled as, and makes nothing but numbers."""
    if kind.dtype.kind not in "biufc":
        raise pickle.UnpicklingError(f"a number of type {kind.dtype}")
    return np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, kind.dtype, 1)[0].item()


# What trainers keep beside the weights: their command line, and rates and losses as numbers of numpy, whose constructor
# changed its name. Those stand-ins make nothing of numpy's own, which would believe what a pickle says of its memory.
HARMLESS: tuple[Any, ...] = (
    argparse.Namespace,
    (NumberType, "numpy.dtype"),
    (_number, "numpy.core.multiarray.scalar"),
    (_number, "numpy._core.multiarray.scalar"),
)


class CheckpointFile(NamedTuple):
    """What a file of weights holds.

    Attributes:
        path: where it lies
        weights: tensors by name, without the prefix ``module.`` of networks trained on several devices
        arguments: the command line that it was trained with, empty where that is not kept
    """

    path: Path
    weights: dict[str, Tensor]
    arguments: dict[str, Any]


def read_checkpoint(path: Path, allowed: Sequence[Any] = HARMLESS) -> CheckpointFile:
    """Returns what a file of weights holds; nothing in it is run.

    Tensors are mapped into memory, so that what is not used of them, such as an optimizer's state, is never read but
    to compare check sums.

    Args:
        path: a safetensors file, or one that ``torch.load`` reads; wrappings such as ``model`` are taken off
        allowed: harmless classes the file may hold besides tensors, as `torch.serialization.safe_globals` takes them

    Raises:
        UserError: the file cannot be read, is damaged, or holds something that is not allowed
    """
    if not path.is_file():
        raise UserError(f"There is no checkpoint {path}. Expected a safetensors file or one written by torch.save.")
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _load(path, allowed)
    except UNREADABLE as error:
        raise UserError(f"The checkpoint {path} cannot be read safely: {_explanation(error)}") from error
    arguments = content.get("args") if isinstance(content, dict) else None
    for key in WRAPPINGS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise UserError(f"The checkpoint {path} holds a {type(content).__name__}, expected a dictionary of tensors.")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    weights = {name.removeprefix("module."): value for name, value in tensors.items()}
    return CheckpointFile(path, weights, vars(arguments) if isinstance(arguments, argparse.Namespace) else {})


def require_same(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Compares names and shapes of tensors.

    Args:
        wanted: what a network has
        found: what a file holds
        path: of the file

    Raises:
        UserError: they differ; the message gives the first difference
    """
    for name, tensor in wanted.items():
        if name not in found:
            raise UserError(
                f"The checkpoint {path} lacks '{name}' of shape {tuple(tensor.shape)}: it is of another network."
            )
        if found[name].shape != tensor.shape:
            got, expected = tuple(found[name].shape), tuple(tensor.shape)
            raise UserError(f"The checkpoint {path} has '{name}' of shape {got}, expected {expected}.")
    unknown = sorted(found.keys() - wanted.keys())
    if unknown:
        raise UserError(
            f"The checkpoint {path} has '{unknown[0]}', which the network has not: it is of another network."
        )


def _load(path: Path, allowed: Sequence[Any]) -> Any:
    """Returns what ``torch.load`` makes of a file, which does not compare check sums itself."""
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"'{damaged}' does not match its check sum")
    with torch.serialization.safe_globals(list(allowed)):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)


def _explanation(error: Exception) -> str:
    """Returns in one line what is wrong with a file, without torch's advice to read it all the same."""
    asked = re.search(r"GLOBAL (\S+)", str(error))
    if isinstance(error, pickle.UnpicklingError) and asked:
        return (
            f"it asks for '{asked[1]}', which weights have no need of and which was not run. If you trust its authors, "
            "ask them for a file of tensors alone."
        )
    told = re.search(r"WeightsUnpickler error:\s+(.+)", str(error)) or re.search(r"(.+)", str(error))
    problem = told[1] if told else type(error).__name__
    return f"it is damaged, or no checkpoint ({problem.strip()}). Copy or download it again."
