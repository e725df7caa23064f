"""NOISE: clips with noise in their sound and blur in their picture (MER2023, MER2024)."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel

from baseline.config import CorpusReference
from baseline.crossvalidation import CrossValidation
from baseline.noisy_copies import at_level, test_copies, training_copy
from baseline.study import Part, Study, measure
from baseline.task import EmotionTask
from baseline.track import Learned, Track, tracks
from toolkit.corpus import Corpus

logger = logging.getLogger(__name__)

CLEAN = "test_multi"  # scored beside the noisy split, where the corpus has it


class NoiseOptions(BaseModel, extra="forbid"):
    """Corrupted copies of the corpus, each with caches of its own.

    Attributes:
        noisy_train: copies of the training clips; each copy trains, and is held out, with its source
        noisy_test: copies of test clips, with their signal-to-noise ratio (dB) in column ``snr``
    """

    noisy_train: list[CorpusReference] = []
    noisy_test: list[CorpusReference] = []


@tracks.add("noise")
class Noise(Track):
    """Emotion, learnt from clean clips and from corrupted copies of them."""

    name = "noise"
    options = NoiseOptions

    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> EmotionTask:
        """Emotion; valence is learnt beside it where it is known, and does not count (MER2024)."""
        return EmotionTask(corpus.emotions, valence_weight=valence_weight)

    def test_splits(self, corpus: Corpus) -> list[str]:
        """The noisy split, and a clean one to compare with."""
        return list(dict.fromkeys([*super().test_splits(corpus), *([CLEAN] if CLEAN in corpus.splits else [])]))

    def extend(self, study: Study) -> Study:
        """Returns the study with the corrupted copies of the training clips, each in the fold of its source."""
        if not self.settings.noisy_train:
            logger.warning(
                "noise: trained on clean clips only. Make noisy ones with `python -m toolkit corrupt --corpus REF "
                "--out DIR --snr 5 10`, extract their features, and give --noisy-train DIR/corpus.csv."
            )
        fold_of = dict(zip(study.train.table["name"], study.folds, strict=True))
        extended = study
        for reference in self.settings.noisy_train:
            part = training_copy(reference, study)
            extended = extended.with_training(part.examples, np.array([fold_of[name] for name in part.names]))
        return extended

    def learn(self, study: Study) -> Learned:
        """Returns networks trained on both kinds, scored beside ones that were trained on clean clips only."""
        result, clean = study.cross_validate(), None
        metrics: dict[str, Any] = {}
        if self.settings.noisy_train:
            own = torch.arange(len(study.train), device=study.training.targets.valence.device)
            alone = replace(study, training=study.training.take(own), folds=study.folds[: len(own)])
            clean = alone.cross_validate()
            metrics["clean_trained"] = {"validation": clean.validation, "test": study.test_scores(clean)}
        if self.settings.noisy_test:
            metrics["noise_curve"] = curve(result, clean, study, test_copies(self.settings.noisy_test, study))
        return Learned(result, result, metrics)


def curve(result: CrossValidation, clean: CrossValidation | None, study: Study, copies: Part) -> list[dict[str, Any]]:
    """Returns the scores at each strength of the noise, weakest first, before them the clean sources (``snr`` null).

    Args:
        result: networks trained with noise, or the only ones
        clean: networks trained without, if there are others
        study: holds the sources
        copies: corrupted copies of test clips
    """
    levels = sorted({round(snr) for snr in copies.corpus.table["snr"]}, reverse=True)
    sources = study.part(study.corpus.only(study.corpus.table["name"].isin(set(copies.names))))
    points = [(None, sources), *((float(level), at_level(copies, level)) for level in levels)]
    entries = []
    for snr, part in points:
        measured = measure(result.task, result.ensemble, part)
        if measured["clips"]:
            entry = {"snr": snr, "clips": measured["clips"], "scores": measured["scores"]}
            if clean is not None:
                entry["clean_trained"] = measure(clean.task, clean.ensemble, part)["scores"]
            entries.append(entry)
    return entries
