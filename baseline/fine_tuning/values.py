"""Numbers such as valence and arousal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from baseline.fine_tuning.goal import Goal
from toolkit.errors import UserError, did_you_mean
from toolkit.metrics.regression import concordance, mean_absolute_error, mean_squared_error, pearson

if TYPE_CHECKING:
    from torch import Tensor

METRICS = {"mae": mean_absolute_error, "mse": mean_squared_error, "pcc": pearson, "ccc": concordance}
TAKEN = frozenset({"name", "split", "fold", "video", "audio", "text", "emotion", "openset", "without_features"})


class Values(Goal):
    """Numbers, of which the mean over the views counts.

    Args:
        names: of the columns that hold them

    Raises:
        UserError: a name that other columns have
    """

    score_name = "mean CCC"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        for name in self.names:
            if name in TAKEN:
                raise UserError(f"'{name}' cannot name a value. Expected columns of numbers, as in --values valence.")

    def truth(self, table: pd.DataFrame) -> np.ndarray:
        """Returns the numbers of each clip, ``(clips, values)`` float32, NaN where they are not known.

        Raises:
            UserError: the corpus has no such column, or it holds other things than numbers
        """
        for name in self.names:
            if name not in table:
                raise UserError(f"The corpus has no column '{name}'. {did_you_mean(name, table.columns)}")
        try:
            return table[list(self.names)].to_numpy(np.float32)
        except ValueError as error:
            raise UserError(f"The columns {', '.join(self.names)} are to hold numbers: {error}.") from None

    def known(self, truth: np.ndarray) -> np.ndarray:
        """Returns which clips have all numbers."""
        return np.isfinite(truth).all(axis=1)

    def said(self, outputs: "Tensor") -> "Tensor":
        """Returns the numbers as they are."""
        return outputs

    def prior(self, truth: np.ndarray) -> np.ndarray:
        """Returns the mean of each number."""
        return truth.mean(axis=0, dtype=np.float64)

    def scores(self, truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
        """Returns MAE, MSE, PCC and CCC, means over the values, and those of each value where there are several.

        A correlation that is not defined, of predictions that are all the same, counts as 0.
        """
        if not len(truth):
            return {}
        table = {
            metric: [float(np.nan_to_num(score(truth[:, place], said[:, place]))) for place in range(len(self.names))]
            for metric, score in METRICS.items()
        }
        means = {metric: float(np.mean(scores)) for metric, scores in table.items()}
        several = len(self.names) > 1
        each = {f"{metric}_{n}": s for metric, row in table.items() for n, s in zip(self.names, row, strict=True)}
        return {"score": means["ccc"], **means, **(each if several else {})}

    def details(self, truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
        """Returns nothing more."""
        return {}

    def columns(self, truth: np.ndarray, said: np.ndarray) -> pd.DataFrame:
        """Returns each value under its name and as ``true_<name>``."""
        pairs = {name: (said[:, place], truth[:, place]) for place, name in enumerate(self.names)}
        return pd.DataFrame(
            {key: v for name, (own, true) in pairs.items() for key, v in ((name, own), (f"true_{name}", true))}
        )
