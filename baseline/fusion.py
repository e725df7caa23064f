"""Which encoders are fused: the best few of each modality, by a ranking of this corpus."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from toolkit.errors import UserError

logger = logging.getLogger(__name__)

MODALITIES = {"A": "audio", "V": "visual", "T": "text"}
FUSIONS = ("AV", "AT", "VT", "AVT")

Sets = tuple[tuple[str, ...], ...]


class Fusion(NamedTuple):
    """The best few encoders of some modalities.

    Attributes:
        modalities: letters of `MODALITIES`
        count: encoders per modality, fewer where a modality has no more
        features: the encoders
        by_fold: the encoders of each fold, which differ where each is chosen by the other folds
    """

    modalities: str
    count: int
    features: tuple[str, ...]
    by_fold: Sets

    @property
    def key(self) -> str:
        """The fusion as a word."""
        return f"{self.modalities} {' | '.join('+'.join(names) for names in dict.fromkeys(self.by_fold))}"


def fusions_of(ranking: pd.DataFrame, fusions: Sequence[str], most: int, folds: int = 0) -> list[Fusion]:
    """Returns the fusions that a ranking makes possible, each set of encoders once.

    Args:
        ranking: as of `read_ranking`
        fusions: modalities, as letters of `MODALITIES`
        most: encoders per modality, at most
        folds: number of folds, where each is to have the best by the clips that chose for it

    Raises:
        UserError: letters that stand for nothing, or a modality without any encoder in all of the fusions
    """
    found = []
    for letters in fusions:
        if not letters or not set(letters) <= set(MODALITIES):
            raise UserError(f"'{letters}' is no fusion. Expected letters of {', '.join(MODALITIES)}, as in AVT.")
        absent = [MODALITIES[letter] for letter in letters if MODALITIES[letter] not in set(ranking["modality"])]
        if absent:
            logger.warning("%s is left out: the ranking has no %s encoder.", letters, absent[0])
            continue
        before: Sets = ()
        for count in range(1, most + 1):
            features = _best(ranking, letters, count, "validation")
            columns = [f"fold_{fold}" for fold in range(folds)] or ["validation"]
            by_fold = tuple(_best(ranking, letters, count, column) for column in columns)
            if by_fold != before:  # the same again where no modality has more
                found.append(Fusion(letters, count, features, by_fold))
            before = by_fold
    if not found:
        raise UserError("None of the fusions can be made: the ranking lacks a modality of each. Extract another one.")
    return found


def read_ranking(path: Path) -> pd.DataFrame:
    """Returns the encoders of a ranking that could be used, the best first.

    Raises:
        UserError: the file cannot be read or is no ranking
    """
    try:
        table = pd.read_csv(path, dtype={"encoder": str, "folds": str, "corpus": str})
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as a ranking ({error}). Make it with `python -m baseline rank`."
        ) from None
    absent = {"encoder", "modality", "validation", "protocol", "corpus", "folds"} - set(table)
    if absent:
        raise UserError(
            f"{path} has no column '{min(absent)}'. Expected the ranking.csv that `python -m baseline rank` writes."
        )
    return table[table["validation"].notna()]


def _best(ranking: pd.DataFrame, letters: str, count: int, column: str) -> tuple[str, ...]:
    names: list[str] = []
    for letter in letters:
        own = ranking[ranking["modality"] == MODALITIES[letter]]
        names += own.sort_values([column, "encoder"], ascending=[False, True])["encoder"][:count].tolist()
    return tuple(names)
