"""Pickles of MMSA and MMSA-FET: labels, words and padded features of MOSI, MOSEI, SIMS, SIMS v2 or one's own clips."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.corpora import mosei, mosi, sims, simsv2
from toolkit.corpus import Corpus, corpus_from_table, readers
from toolkit.errors import UserError
from toolkit.pickle_reader import read_pickle

SPLITS = {"train": "train", "valid": "val", "test": "test"}  # MMSA's name of each split, and ours
KNOWN = {"mosi": mosi, "mosei": mosei, "sims": sims, "simsv2": simsv2}
# Columns beside the usual ones. SIMS and SIMS v2 are rated by the words, the sound and the picture alone as well.
EXTRA = {
    "annotations": "annotation",
    "regression_labels_T": "valence_text",
    "regression_labels_A": "valence_audio",
    "regression_labels_V": "valence_visual",
}


@readers.add("mmsa")
def read(path: Path) -> Corpus:
    """Returns the clips of a pickle as MMSA reads it, which is read without running it.

    A pickle with as many clips per split as a corpus was published with is that corpus, whose name it gets, so that
    its caches fit the reader of that corpus too. Any other is called as its file, and rated from -1 to 1 if no clip is
    rated higher, else from -3 to 3. There are no classes, as with the other readers of these corpora. Columns
    ``video_id``, ``utterance_no`` and, where the pickle has them, those of `EXTRA`.

    All of it is in memory for a moment, features and all: `python -m toolkit cache import` writes the labels into a
    table of their own.

    Args:
        path: the pickle

    Raises:
        UserError: it is no such pickle, or a label cannot be
    """
    splits = read_splits(path)
    table = pd.concat([_table(path, split, part) for split, part in splits.items()], ignore_index=True)
    sizes = table["split"].value_counts().to_dict()
    name = next((name for name, corpus in KNOWN.items() if sizes == corpus.SIZES), path.stem)
    highest = table["valence"].abs().max()
    valence = KNOWN[name].VALENCE if name in KNOWN else sims.VALENCE if highest <= 1 else mosi.VALENCE
    if highest > valence[1]:
        clip = table["name"][table["valence"].abs().idxmax()]
        raise UserError(f"{path}: '{clip}' is rated {highest:g}. Expected {valence[0]:g} to {valence[1]:g}.")
    return corpus_from_table(name, path.parent, table, emotions=(), valence=valence)


def read_splits(path: Path) -> dict[str, Mapping[str, Any]]:
    """Returns what a pickle holds of each split, by our name of it, empty ones left out.

    Raises:
        UserError: it holds no splits, or a split names no clips
    """
    content = read_pickle(path)
    there = content if isinstance(content, Mapping) else {}
    found = {ours: there[theirs] for theirs, ours in SPLITS.items() if theirs in there}
    if all(isinstance(part, Mapping) and isinstance(part.get("id"), list | np.ndarray) for part in found.values()):
        filled = {split: part for split, part in found.items() if len(part["id"])}
        if filled:
            return filled
    raise UserError(
        f"{path} is no pickle of MMSA. Expected train, valid and test, each with id, regression_labels and arrays such "
        "as text, audio and vision."
    )


def clip_names(part: Mapping[str, Any]) -> list[str]:
    """Returns the names of a split's clips, ``<video>_<clip>`` where MMSA writes ``<video>$_$<clip>``.

    Examples:
        >>> clip_names({"id": ["03bSnISJMiM$_$1", "03bSnISJMiM$_$11"]})
        ['03bSnISJMiM_1', '03bSnISJMiM_11']
    """
    return [word.replace("$_$", "_") for word in _words(part["id"])]


def _table(path: Path, split: str, part: Mapping[str, Any]) -> pd.DataFrame:
    names = clip_names(part)
    columns = {"regression_labels": "valence", "raw_text": "text"} | EXTRA
    cells: dict[str, Any] = {"name": names, "split": split}
    for theirs, ours in columns.items():
        if theirs not in part:
            continue
        try:
            entries = len(part[theirs])
        except TypeError:  # a single thing
            entries = 0
        if entries != len(names):
            raise UserError(f"{path}: '{theirs}' of '{split}' has {entries} entries for {len(names)} clips.")
        if ours.startswith("valence"):
            cells[ours] = _numbers(path, theirs, part[theirs])
        else:
            cells[ours] = [word if word.strip() else None for word in _words(part[theirs])]
    if "valence" not in cells:
        raise UserError(f"{path}: the split '{split}' has no regression_labels. Make the file again with labels.")
    places = pd.Series(names).str.rpartition("_")
    return pd.DataFrame(cells | {"video_id": places[0], "utterance_no": pd.to_numeric(places[2], errors="coerce")})


def _numbers(path: Path, key: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, np.float64).reshape(len(values))
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: '{key}' holds something else than one number per clip ({error}).") from None


def _words(values: Any) -> list[str]:
    cells = values.ravel().tolist() if isinstance(values, np.ndarray) else values
    return [cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell) for cell in cells]
