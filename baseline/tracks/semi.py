"""SEMI: few labelled clips and many without, which the networks label themselves (MER2023, MER2024)."""

import logging
from collections import Counter
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field

from baseline.config import SELECTIONS
from baseline.crossvalidation import CrossValidation
from baseline.dataset import Examples
from baseline.study import Part, Study
from baseline.task import EmotionTask, Prediction
from baseline.track import Learned, Track, tracks
from toolkit.corpus import Corpus

logger = logging.getLogger(__name__)

POOL = "unlabelled"


class SemiOptions(BaseModel, extra="forbid"):
    """How clips without a label are used.

    Attributes:
        rounds: of pseudo-labels, after the supervised one; 0 trains on labels only
        quantile: of the confidence of rightly classified clips of a class, above which a pseudo-label is believed
    """

    rounds: int = Field(3, ge=0)
    quantile: float = Field(0.5, ge=0, le=1)


@tracks.add("semi")
class Semi(Track):
    """Emotion, learnt from labels and then from pseudo-labels, round after round.

    In each round the network of a fold labels the pool, the clips it is sure of join its training part, and it is
    trained anew. The labels it learns are its own, not those of networks that were trained on its validation fold, and
    the thresholds above which it believes them are measured on the clips of the other folds. The round with the best
    mean validation score predicts, the earliest of equals.
    """

    name = "semi"
    options = SemiOptions

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> EmotionTask:
        """Emotion; valence is learnt beside it where it is known, and does not count."""
        return EmotionTask(corpus.emotions, valence_weight=valence_weight)

    def learn(self, study: Study) -> Learned:
        """Returns the best of all rounds."""
        supervised = study.cross_validate()
        results, entries = [supervised], [self._entry(0, supervised, study, {}, [])]
        pool, emotion = self._pool(study), study.training.targets.emotion.cpu().numpy()
        for number in range(1, self.settings.rounds + 1 if pool is not None else 1):
            before = results[-1]
            limits, additions = [], {}
            for fold in range(len(before.results)):
                others = study.folds != fold
                limits.append(thresholds(before.held_out.take(others), emotion[others], self.settings.quantile))
                labelled = before.ensemble.predict(pool.examples.inputs, [fold])
                additions[fold] = believed(labelled, limits[fold], pool)
            results.append(study.cross_validate(additions={f: more for f, more in additions.items() if len(more)}))
            entries.append(self._entry(number, results[-1], study, additions, limits))
        best = int(np.argmax([entry["validation"]["score"]["mean"] for entry in entries]))
        metrics: dict[str, Any] = {"rounds": entries, "chosen_round": best}
        if len(entries) > 1:
            epoch = SELECTIONS[study.recipe.select].removesuffix("; the validation fold is untouched")
            metrics["selection"] = f"{epoch}; best round on the validation folds"
        return Learned(results[best], supervised, metrics)

    def _pool(self, study: Study) -> Part | None:
        if not self.settings.rounds:
            return None
        if POOL not in study.corpus.splits:
            logger.warning("Corpus '%s' has no split '%s': trained on labels only.", study.corpus.name, POOL)
            return None
        return study.tests.get(POOL) or study.part(study.corpus.select(POOL))

    def _entry(
        self,
        number: int,
        result: CrossValidation,
        study: Study,
        additions: dict[int, Examples],
        limits: list[np.ndarray],
    ) -> dict[str, Any]:
        """Returns what ``metrics.json`` says of a round; clips added and thresholds are the mean over the folds."""
        labels = result.task.labels
        counts = [Counter(more.targets.emotion.tolist()) for more in additions.values()]
        mean = {label: sum(c[k] for c in counts) / max(1, len(counts)) for k, label in enumerate(labels)}
        entry = {
            "round": number,
            "added": round(sum(mean.values())),
            "added_by_fold": [sum(count.values()) for count in counts],
            "per_class": {label: round(value) for label, value in mean.items() if value},
            "validation": result.validation,
            "test": {split: test["scores"] for split, test in study.test_scores(result).items() if test["scores"]},
        }
        if limits:
            means = np.mean(limits, axis=0)
            entry["thresholds"] = {label: float(means[k]) for k, label in enumerate(labels) if np.isfinite(means[k])}
        logger.info("round %d: %d clips added, score %.4f", number, entry["added"], result.validation["score"]["mean"])
        return entry


def thresholds(prediction: Prediction, emotion: np.ndarray, quantile: float) -> np.ndarray:
    """Returns the confidence from which a prediction of each class is believed (MER2023 paper, Algorithm 1).

    Args:
        prediction: of labelled clips, each by the network that did not see it
        emotion: ``(clips,)`` true class numbers, -1 where not known
        quantile: of the confidence of the clips of a class that were rightly classified

    Returns:
        ``(classes,)``, infinite for a class of which no clip was rightly classified

    Examples:
        >>> sure = Prediction(np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]]), np.zeros(3), np.ones(3, bool))
        >>> thresholds(sure, np.array([0, 0, 1]), 0.5).tolist()
        [0.8, inf]
    """
    confidence, guess = prediction.probabilities.max(1), prediction.probabilities.argmax(1)
    right = (guess == emotion) & prediction.known
    limits = np.full(prediction.probabilities.shape[1], np.inf)
    for number in range(len(limits)):
        if (right & (emotion == number)).any():
            limits[number] = np.quantile(confidence[right & (emotion == number)], quantile)
    return limits


def believed(prediction: Prediction, limits: np.ndarray, pool: Part) -> Examples:
    """Returns the clips of a pool whose confidence is above the limit of their predicted class, labelled with it.

    Args:
        prediction: of the pool
        limits: ``(classes,)`` as of `thresholds`
        pool: the clips
    """
    confidence, guess = prediction.probabilities.max(1), prediction.probabilities.argmax(1)
    rows = torch.from_numpy(np.flatnonzero((confidence > limits[guess]) & prediction.known))
    examples = pool.examples.take(rows.to(pool.examples.targets.valence.device))
    labels = torch.from_numpy(guess[rows.numpy()]).to(examples.targets.emotion)
    unknown = torch.full_like(examples.targets.valence, float("nan"))
    return Examples(examples.inputs, examples.targets._replace(emotion=labels, valence=unknown))
