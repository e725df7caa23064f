"""Checkpoints of a pretraining, in the format of the authors' trainers."""

import argparse
import re
from functools import reduce
from pathlib import Path
from typing import Any

import torch

from toolkit.errors import UserError
from toolkit.models.checkpoint_file import UNREADABLE
from toolkit.models.checkpoint_options import OPTION_HINTS, OPTION_VALUES, OWN, OWN_OPTIONS
from toolkit.models.checkpoint_size import HINTS
from toolkit.models.masked_autoencoder import FineTuning
from toolkit.whole_file import whole_file

_NAME = re.compile(r"checkpoint-(\d+)\.pth")


def checkpoint_path(folder: Path, epoch: int) -> Path:
    """Returns where the checkpoint after an epoch, counted from 0, lies."""
    return folder / f"checkpoint-{epoch}.pth"


def last_checkpoint(folder: Path) -> Path | None:
    """Returns the checkpoint of the latest epoch in a folder, ``None`` where there is none."""
    found = [(int(match[1]), path) for path in folder.glob("checkpoint-*.pth") if (match := _NAME.fullmatch(path.name))]
    return max(found)[1] if found else None


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes a checkpoint, whole or not at all, even if the power fails.

    Args:
        path: to write to
        content: ``model``, ``optimizer``, ``epoch``, ``scaler``, ``args`` and more
    """
    import os

    with whole_file(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())


def read_own(path: Path) -> dict[str, Any]:
    """Returns what `write_checkpoint` wrote; nothing else is taken, and nothing is run.

    Raises:
        UserError: the file is damaged, or of another program
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"model", "optimizer", "epoch", "scaler", "args", "curve"} - content.keys()
    except (*UNREADABLE, AttributeError) as error:
        raise UserError(f"{path} cannot be read: {error}. Remove it to go on from the checkpoint before.") from error
    if missing:
        raise UserError(
            f"{path} has no {', '.join(sorted(missing))}: it is not of a pretraining. Choose another --out."
        )
    return content


def said_of_size(size: Any) -> dict[str, Any]:
    """Returns what `load_checkpoint` is told of a network's size that its weights do not say, as the authors call it.

    Args:
        size: of any family

    Examples:
        >>> from toolkit.models.videomae import VideoMaeSize
        >>> said_of_size(VideoMaeSize())
        {'img_size': 160, 'all_frames': 16, 'encoder_num_heads': 12, 'decoder_num_heads': 6}
    """
    said: dict[str, Any] = {}
    for field, names in HINTS.items():
        try:
            value = reduce(getattr, field.split("."), size)
        except AttributeError:
            continue
        name, _, index = names[0].partition(".")
        if index:
            said.setdefault(name, []).append(value)
        else:
            said[name] = value
    return said


def said_of_options(network: FineTuning) -> dict[str, Any]:
    """Returns what `load_checkpoint` is told of a network's options, as the authors call them where they do.

    Args:
        network: of any family
    """
    said: dict[str, Any] = {
        OWN: {option: getattr(network, option) for option in OWN_OPTIONS if hasattr(network, option)}
    }
    for option, values in OPTION_VALUES.items():
        value = getattr(network.head if option == "activation" else network, option, None)
        theirs = {ours: word for word, ours in values.items()}
        if value in theirs:
            said[OPTION_HINTS[option]] = theirs[value]
    return said
