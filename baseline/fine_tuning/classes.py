"""One class out of several."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from baseline.fine_tuning.goal import Goal
from toolkit.errors import UserError, did_you_mean
from toolkit.metrics.class_counts import (
    accuracy_of,
    counts_of,
    macro_f1_of,
    share,
    unweighted_recall_of,
    weighted_f1_of,
)
from toolkit.metrics.classification import confusion

if TYPE_CHECKING:
    from torch import Tensor

UNKNOWN = -1


class Classes(Goal):
    """Classes, of which the mean of the views' probabilities decides.

    Args:
        names: in the order of their numbers
    """

    score_name = "WAR"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def truth(self, table: pd.DataFrame) -> np.ndarray:
        """Returns the number of each clip's class, ``(clips,)`` int64, -1 where it has none.

        Raises:
            UserError: a class is none of the names
        """
        codes = {name: code for code, name in enumerate(self.names)}
        words = table["emotion"]
        for name, word in zip(table["name"], words, strict=True):
            if not pd.isna(word) and word not in codes:
                raise UserError(f"The clip '{name}' is of the class '{word}'. {did_you_mean(str(word), self.names)}")
        return np.array([UNKNOWN if pd.isna(word) else codes[word] for word in words], np.int64)

    def known(self, truth: np.ndarray) -> np.ndarray:
        """Returns which clips have a class."""
        return truth != UNKNOWN

    def said(self, outputs: "Tensor") -> "Tensor":
        """Returns probabilities, ``(views, classes)``."""
        return outputs.softmax(dim=1)

    def prior(self, truth: np.ndarray) -> np.ndarray:
        """Returns the share of each class."""
        return np.bincount(truth, minlength=len(self.names)) / len(truth)

    def scores(self, truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
        """Returns UAR, the mean recall of the classes that occur, WAR, the share that is right, and two F1."""
        if not len(truth):
            return {}
        counts = counts_of(self._confusion(truth, said))
        accuracy = float(accuracy_of(counts))
        return {
            "score": accuracy,
            "unweighted_recall": float(unweighted_recall_of(counts)),
            "accuracy": accuracy,
            "weighted_f1": float(weighted_f1_of(counts)),
            "macro_f1": float(macro_f1_of(counts)),
        }

    def details(self, truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
        """Returns confusions, true classes being rows, and the recall of each class that occurs."""
        if not len(truth):
            return {}
        matrix = self._confusion(truth, said)
        counts = counts_of(matrix)
        recalls = share(counts.right, counts.support)
        return {
            "confusion": {"labels": list(self.names), "matrix": matrix.tolist()},
            "recall": {n: float(value) for n, value in zip(self.names, recalls, strict=True) if not np.isnan(value)},
        }

    def columns(self, truth: np.ndarray, said: np.ndarray) -> pd.DataFrame:
        """Returns ``emotion, true_emotion`` and ``probability_<class>``."""
        names = np.array([*self.names, float("nan")], dtype=object)
        table = pd.DataFrame({"emotion": names[said.argmax(axis=1)], "true_emotion": names[truth]})
        return table.assign(**{f"probability_{name}": said[:, code] for code, name in enumerate(self.names)})

    def _confusion(self, truth: np.ndarray, said: np.ndarray) -> np.ndarray:
        return confusion(truth, said.argmax(axis=1), range(len(self.names)))
