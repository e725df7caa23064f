"""IEMOCAP as MERTools prepares it: ten actors in five sessions, improvised and scripted, four or six classes."""

from pathlib import Path

import pandas as pd

from toolkit.corpora.processed import read_first, read_processed
from toolkit.corpora.published import published
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.errors import UserError

# In the order of MERTools' numbers. The clips that are happy of four are happy or excited of six.
FOUR = ("happy", "sad", "neutral", "angry")
SIX = (*FOUR, "excited", "frustrated")
FOUR_SIZES = {"train": 5531}
SIX_SIZES = {"train": 7433}
# Session, whose microphone is on the left, scene, whose turn it is, number of the turn: Ses01F_impro01_M003.
NAME = r"(?P<session>Ses0[1-5])[FM]_.+_(?P<sex>[FM]).{3}"


@published("iemocap4", FOUR_SIZES)
def read_four(path: Path) -> Corpus:
    """Returns IEMOCAP with four classes, from a folder with ``label_4way.npz`` and ``transcription-engchi-polish.csv``.

    Every clip is in split ``train``: one session after the other is held out, which ``group`` says. Columns
    ``session``, ``speaker`` and ``dialogue`` come from the names. The corpus is called ``iemocap`` whatever the number
    of classes, so that both share their caches.

    Raises:
        UserError: no labels, a wrong number of them, or a name that is none of IEMOCAP's
    """
    return _read(path, "label_4way.npz", FOUR)


@published("iemocap6", SIX_SIZES)
def read_six(path: Path) -> Corpus:
    """Returns IEMOCAP with six classes, from ``label_6way.npz``, otherwise as `read_four`."""
    return _read(path, "label_6way.npz", SIX)


def _read(root: Path, archive: str, emotions: tuple[str, ...]) -> Corpus:
    table = read_first(
        root, "IEMOCAP", {archive: lambda root: read_processed(root, archive, language="english", emotions=emotions)}
    )
    return corpus_from_table("iemocap", root, _add_people(table, root / archive), emotions=emotions, group="session")


def _add_people(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    parts = table["name"].astype(str).str.extract(f"^{NAME}$")
    strangers = table["name"][parts["session"].isna()]
    if len(strangers):
        raise UserError(f"{path}: '{strangers.iloc[0]}' is no clip of IEMOCAP. Expected names as Ses01F_impro01_M003.")
    return table.assign(
        session=parts["session"],
        speaker=parts["session"] + "_" + parts["sex"],
        dialogue=table["name"].str.rpartition("_")[0],
    )
