"""The data of a run: what is scored, and what need not be."""

import numpy as np
import pytest

from baseline.basis import open_labelled
from baseline.dataset import Examples
from baseline.run import open_study, track_of
from baseline.study import measure
from baseline.task import Prediction


class NeverAsked:
    """Networks whose predictions nobody may want."""

    def predict(self, inputs):
        raise AssertionError("predicted, and nothing could be scored")


def test_clips_without_a_label_are_not_predicted_to_be_scored(quick):
    """A pool of a hundred thousand clips is predicted for its predictions, not for each table of scores."""
    config = quick(test=["unlabelled", "test_multi"])
    study = open_study(config, track_of(config))
    assert measure(study.task, NeverAsked(), study.tests["unlabelled"]) == {"clips": 0, "scores": {}}
    with pytest.raises(AssertionError, match="nothing could be scored"):
        measure(study.task, NeverAsked(), study.tests["test_multi"])


def test_clips_with_a_valence_alone_are_scored(quick):
    study = open_labelled(quick())
    part = study.tests["test_multi"]
    targets = part.examples.targets
    unknown = targets._replace(emotion=targets.emotion.new_full(targets.emotion.shape, -1))
    rated = part._replace(examples=Examples(part.examples.inputs, unknown))

    class Zeros:
        def predict(self, inputs):
            clips = len(inputs)
            return Prediction(np.full((clips, 3), 1 / 3, np.float32), np.zeros(clips, np.float32), np.ones(clips, bool))

    error = float((targets.valence**2).mean())
    assert measure(study.task, Zeros(), rated) == {"clips": 0, "scores": {"mse": pytest.approx(error)}}
