"""Sentiment from negative to positive as the only thing learnt."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from baseline.dataset import Targets, read_targets
from baseline.task import EVEN, Emphasis, Prediction, Task, Truth, masked_mean
from toolkit.corpus import Corpus
from toolkit.metrics.classification import accuracy, weighted_f1
from toolkit.metrics.regression import concordance
from toolkit.metrics.sentiment import mosi_scores, sims_scores
from toolkit.models.network import NetworkOutput

SIMS_RANGE = (-1.0, 1.0)  # of CH-SIMS, whose tables have classes of their own


class SentimentTask(Task):
    """A number between negative and positive, learnt by its squared error.

    Args:
        valence: lowest and highest sentiment of the corpus; from -1 to 1 it is scored as CH-SIMS, otherwise as CMU-MOSI
    """

    labels = ()
    activation = "sigmoid"
    score_name = "weighted F1 of the sign"

    def __init__(self, valence: tuple[float, float]) -> None:
        self.valence = valence

    def targets(self, corpus: Corpus, device: str) -> Targets:
        """Valence only."""
        targets = read_targets(corpus, device)
        return targets._replace(emotion=targets.emotion.new_full(targets.emotion.shape, -1))

    def known(self, targets: Targets) -> Tensor:
        """True where the sentiment is known."""
        return targets.valence.isfinite()

    def judged(self, truth: Truth) -> np.ndarray:
        """True where the sentiment is known."""
        return np.isfinite(truth.valence)

    def loss(self, output: NetworkOutput, targets: Targets, emphasis: Emphasis = EVEN) -> Tensor:
        """Squared error of the standardised sentiment."""
        error = (output.valence - targets.valence.nan_to_num()).square()  # (M, B)
        return masked_mean(error, self.known(targets))

    def prior(self, targets: Targets) -> np.ndarray:
        """Nothing: there are no labels."""
        return np.zeros(0, np.float32)

    def merit(self, prediction: Prediction, truth: Truth) -> float:
        """Weighted F1 of the sign over the clips that are not neutral, as MERTools chooses the epoch."""
        clear = self.judged(truth) & (truth.valence != 0)
        if not clear.any():
            return 0.0
        return weighted_f1(truth.valence[clear] > 0, prediction.valence[clear] > 0, (False, True))

    def scores(self, prediction: Prediction, truth: Truth, names: Sequence[str] = ()) -> dict[str, float]:
        """The scores of the corpus' tables; ``score`` and ``accuracy`` are of the sign without neutral clips."""
        known = self.judged(truth) & np.isfinite(prediction.valence)
        if not known.any():
            return {}
        true, guess = truth.valence[known], prediction.valence[known]
        scores = {"score": self.merit(prediction.take(known), truth.take(known))}
        if (true != 0).any():
            scores["accuracy"] = accuracy(true[true != 0] > 0, guess[true != 0] > 0)
        family = sims_scores if self.valence == SIMS_RANGE else mosi_scores
        scores |= {"ccc": concordance(true, guess), **family(true, guess)}
        return {name: value for name, value in scores.items() if np.isfinite(value)}  # one of a constant is not

    def columns(self, prediction: Prediction, names: Sequence[str] = ()) -> dict[str, list[Any]]:
        """The sentiment, as ``valence``."""
        return {"valence": prediction.valence.tolist()}
