"""What a network is fine-tuned to say of a clip."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor


class Goal(ABC):
    """Classes or numbers.

    Attributes:
        names: of the outputs, in their order
        score_name: what the score is that epochs are compared by
    """

    names: tuple[str, ...]
    score_name: str

    @abstractmethod
    def truth(self, table: pd.DataFrame) -> np.ndarray:
        """Returns what is true of each clip of a corpus' table, ``(clips, ...)``; see `known`."""

    @abstractmethod
    def known(self, truth: np.ndarray) -> np.ndarray:
        """Returns of which clips it is known, ``(clips,)`` bool."""

    @abstractmethod
    def said(self, outputs: "Tensor") -> "Tensor":
        """Returns what a network says of each view, ``(views, outputs)``, of which the mean counts.

        Args:
            outputs: ``(views, outputs)`` the network's last layer, float32
        """

    @abstractmethod
    def prior(self, truth: np.ndarray) -> np.ndarray:
        """Returns what is said of a clip that cannot be read, ``(outputs,)``.

        Args:
            truth: of the clips learnt from, all known
        """

    @abstractmethod
    def scores(self, truth: np.ndarray, said: np.ndarray) -> dict[str, float]:
        """Returns scores by name, the one named ``score`` being higher for the better; nothing of no clips.

        Args:
            truth: of clips of which it is known
            said: ``(clips, outputs)``
        """

    @abstractmethod
    def details(self, truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
        """Returns what else ``metrics.json`` holds beside the scores of some clips."""

    @abstractmethod
    def columns(self, truth: np.ndarray, said: np.ndarray) -> pd.DataFrame:
        """Returns the columns of ``predictions.csv`` that depend on what is predicted."""
