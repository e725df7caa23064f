"""Predictions for anybody's clips: stage 1 into a temporary cache, then a run's networks, by the code of training."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from baseline import run_directory as files
from baseline.context import is_context
from baseline.dataset import FeatureSource
from baseline.fold_models import FoldEnsemble
from baseline.reading import Reading
from baseline.sentiment import SentimentTask
from baseline.task import EmotionTask, Prediction, Task
from baseline.vocabulary import VocabularyTask
from feature_extraction.encoder import EncoderSpec
from feature_extraction.extract import extract_features
from feature_extraction.options import RunOptions
from feature_extraction.reference import spec_again
from toolkit.corpus import Corpus
from toolkit.device import resolve_device
from toolkit.errors import UserError
from toolkit.metrics.wheel import load_wheels
from toolkit.status import Status


class Missing(NamedTuple):
    """Why a feature could not be made of a clip."""

    feature: str
    modality: str
    status: Status
    reason: str


class ClipPrediction(NamedTuple):
    """What the networks of a run say of one clip.

    Attributes:
        name: clip name
        emotion: the most probable one, ``None`` where words or sentiment are predicted
        valence: in the corpus' unit, ``None`` where it was not learnt
        words: said of the clip, the most probable first; none where one emotion is predicted
        probabilities: of every emotion or word
        missing: features that could not be made; the networks decided from the others
        known: false where the clip has no feature at all, so that the prediction is what is most frequent in training
    """

    name: str
    emotion: str | None
    valence: float | None
    words: list[str]
    probabilities: dict[str, float]
    missing: list[Missing]
    known: bool


class TrainedRun(NamedTuple):
    """What predicting needs of a run directory: the networks, the track's decisions, and the encoders they read."""

    ensemble: FoldEnsemble
    task: Task
    specs: list[EncoderSpec]

    @property
    def reading(self) -> Reading:
        """What the networks read of each clip."""
        return Reading(**self.ensemble.facts["reading"])


def load_run(folder: Path, *, device: str = "cpu") -> TrainedRun:
    """Returns the networks of a run.

    Args:
        folder: ``RUNS/<track>/<name>``
        device: torch device

    Raises:
        UserError: it is no run directory, or an encoder gives other numbers than when the run was trained
    """
    path = folder / files.ENVIRONMENT
    if not (folder / files.MODEL).is_file() or not path.is_file():
        raise UserError(
            f"{folder} has no {files.MODEL} with {files.ENVIRONMENT} beside it. Expected the directory of a finished "
            "run, such as RUNS/multi/NAME."
        )
    ensemble = FoldEnsemble.load(folder / files.MODEL, resolve_device(device))
    try:
        caches = json.loads(path.read_text(encoding="utf-8"))["caches"]
        specs = [_spec(name, caches[name], folder) for name in ensemble.features if not is_context(name)]
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error!r}). Run the track again.") from error
    return TrainedRun(ensemble, _task(ensemble), specs)


def predict(
    run: TrainedRun, corpus: Corpus, *, device: str = "cpu", workers: int = 1, progress: bool = False
) -> list[ClipPrediction]:
    """Returns what the networks of a run say of the clips of a corpus, which needs no labels.

    Features are made anew in a temporary folder, by the same encoders and the same loop as for training.

    Args:
        run: the networks
        corpus: the clips
        device: torch device
        workers: processes that read and encode
        progress: shows a progress bar per encoder
    """
    device, names = resolve_device(device), list(corpus.table["name"])
    levels = ("utterance",) if run.reading.level == "utterance" else ("frame",)
    with tempfile.TemporaryDirectory(prefix="predict-") as folder:
        options = RunOptions(device=device, workers=workers, progress=progress)
        for modality in sorted({spec.modality for spec in run.specs}):
            specs = [spec for spec in run.specs if spec.modality == modality]
            extract_features(corpus, specs, Path(folder), levels=levels, options=options)
        sources = run.reading.open(Path(folder), corpus, [spec.name for spec in run.specs])
        inputs = run.reading.load(sources, corpus, device, run.ensemble.network["inputs"])
        prediction = run.ensemble.predict(inputs)
        missing = [_missing(sources, name) for name in names]
        for source in sources.values():
            source.cache.close()
    return _clips(run, names, prediction, missing)


def _spec(name: str, cache: Mapping[str, Any], folder: Path) -> EncoderSpec:
    """Returns the encoder that a run was trained on, if it is still the same."""
    try:
        spec = spec_again(name, cache["modality"], cache["spec"])
    except UserError as error:
        raise UserError(f"{folder} was trained on '{name}', which is not to be had here. {error}") from error
    if spec.identity != cache["identity"]:
        raise UserError(
            f"{folder} was trained on '{name}' with identity {cache['identity']}; here it has {spec.identity} and "
            "gives other numbers. Extract its features anew and run the track again."
        )
    return spec


def _task(ensemble: FoldEnsemble) -> Task:
    if not ensemble.labels:
        return SentimentTask(ensemble.valence_range)
    if ensemble.activation == VocabularyTask.activation:
        return VocabularyTask(ensemble.labels, {}, load_wheels(None), threshold=ensemble.facts["threshold"])
    return EmotionTask(ensemble.labels)


def _missing(sources: Mapping[str, FeatureSource], name: str) -> list[Missing]:
    found = []
    for feature, (cache, modality) in sources.items():
        row = cache.index[name]
        if cache.status[row] != Status.OK:
            found.append(Missing(feature, modality, Status(cache.status[row]), cache.reason[row]))
    return found


def _clips(
    run: TrainedRun, names: Sequence[str], prediction: Prediction, missing: Sequence[list[Missing]]
) -> list[ClipPrediction]:
    columns = run.task.columns(prediction, names)
    words = run.task.said(prediction, names) if isinstance(run.task, VocabularyTask) else [[] for _ in names]
    clips = []
    for row, name in enumerate(names):
        valence = float(columns["valence"][row]) if "valence" in columns else np.nan
        clips.append(
            ClipPrediction(
                name,
                columns["emotion"][row] if "emotion" in columns else None,
                None if np.isnan(valence) else valence,
                words[row],
                {
                    label: float(prediction.probabilities[row, number])
                    for number, label in enumerate(run.ensemble.labels)
                },
                missing[row],
                bool(prediction.known[row]),
            )
        )
    return clips
