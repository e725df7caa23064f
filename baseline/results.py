"""What a run found, as ``metrics.json`` and ``predictions.csv`` hold it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from baseline.config import SELECTIONS
from baseline.crossvalidation import CrossValidation
from baseline.dataset import FeatureSource, coverage
from baseline.spread import mean_and_std
from baseline.study import Study, measure, summary
from baseline.tallies import task_tallies
from baseline.task import Prediction, Task, Truth
from baseline.track import Learned
from toolkit.errors import UserError
from toolkit.metrics.bootstrap import bootstrap_interval

logger = logging.getLogger(__name__)


def metrics_of(study: Study, learned: Learned, *, compare: bool) -> dict[str, Any]:
    """Returns ``metrics.json``, all but track and time.

    Args:
        study: the data
        learned: what the track learnt from it
        compare: whether each modality alone is trained and scored too
    """
    final, own = learned.final, study.held_out
    names = list(study.train.table["name"].iloc[own])
    truth = Truth.of(study.training.targets).take(own)
    everyone = list(study.train.table["name"])
    usable = {"train": study.training.inputs.usable[: len(everyone)]}
    usable |= {split: part.examples.inputs.usable for split, part in study.tests.items()}
    tested = [name for part in study.tests.values() for name in part.names]
    return {
        "protocol": study.protocol,
        "score_name": study.task.score_name,
        "selection": SELECTIONS[study.recipe.select],
        "folds": [result._asdict() for result in final.results],
        "validation": final.validation,
        "out_of_fold": summary(final.task, final.held_out.take(own), truth, names)
        | _interval(final.task, final.held_out.take(own), study.train.table.iloc[own]),
        "test": {
            split: entry | _test_interval(study, final, split) for split, entry in study.test_scores(final).items()
        },
        "seeds": _seeds(study, final),
        **learned.metrics,
        **({"modalities": modalities_of(study, learned.supervised)} if compare else {}),
        "coverage": coverage(study.sources, [*everyone, *tested]),
        "without_features": {split: int((~rows).sum()) for split, rows in usable.items()},
    }


def _test_interval(study: Study, final: CrossValidation, split: str) -> dict[str, Any]:
    part = study.tests[split]
    if not study.task.judged(Truth.of(part.examples.targets)).any():
        return {}
    return _interval(final.task, final.ensemble.predict(part.examples.inputs), part.corpus.table)


def _interval(task: Task, prediction: Prediction, table: pd.DataFrame) -> dict[str, Any]:
    """Returns the ends of the 95 % bootstrap interval of the track's own score, nothing where there is no score."""
    tally = task_tallies(task, prediction, table).get("score")
    ends = [] if tally is None else [end for end in bootstrap_interval(tally) if np.isfinite(end)]
    return {"interval": ends} if ends else {}


def _seeds(study: Study, final: CrossValidation) -> dict[str, Any]:
    """Returns how the scores vary over the seeds, of held-out and of test clips, nothing of a single seed."""
    if not final.seeds:
        return {}
    parts: dict[str, list[dict[str, float]]] = {"validation": [one.scores for one in final.seeds]}
    for split, part in study.tests.items():
        parts[split] = [measure(one.task, one.ensemble, part)["scores"] for one in final.seeds]
    return {"seeds": list(study.seeds), "each": parts, **{name: mean_and_std(scores) for name, scores in parts.items()}}


def feature_sets(sources: Mapping[str, FeatureSource]) -> dict[str, list[str]]:
    """Returns which features are tried alone: each modality, and each feature where a modality has several."""
    modalities: dict[str, list[str]] = {}
    for key, source in sources.items():
        modalities.setdefault(source.modality, []).append(key)
    several = [key for keys in modalities.values() if len(keys) > 1 for key in keys]
    sets = dict(sorted(modalities.items())) | {key: [key] for key in several}
    return {name: keys for name, keys in sets.items() if len(keys) < len(sources)}


def modalities_of(study: Study, fused: CrossValidation) -> dict[str, Any]:
    """Returns the scores of all features together and of each modality alone, trained in the same way."""
    entries = {"fused": _entry(study, fused, list(study.sources))}
    for name, features in feature_sets(study.sources).items():
        try:
            entries[name] = _entry(study, study.cross_validate(features), features)
        except UserError as error:  # a modality that too few clips have must not end a run that has learnt from all
            logger.warning("%s alone is left out: %s", name, error)
            continue
        mean = entries[name]["validation"].get("score", {}).get("mean", float("nan"))
        logger.info("%s alone: %s %.4f", name, study.task.score_name, mean)
    return entries


def _entry(study: Study, result: CrossValidation, features: Sequence[str]) -> dict[str, Any]:
    key = "weighted_f1" if result.task.activation == "softmax" else "score"
    return {
        "features": list(features),
        "validation": result.validation,
        "folds": [one.scores[key] for one in result.results if key in one.scores],
        "out_of_fold": result.scores,
        "test": {
            split: scores
            for split, part in study.tests.items()
            if (scores := measure(result.task, result.ensemble, part)["scores"])
        },
    }


def prediction_table(study: Study, result: CrossValidation) -> pd.DataFrame:
    """Returns ``predictions.csv``: held-out clips by the networks that never saw them, test clips by all of them.

    Columns: ``split, name, fold`` (training clips only), what is predicted (``emotion, valence`` or ``openset``),
    ``true_emotion, true_valence, true_openset`` where known, ``without_features`` (true where the clip has none and the
    prediction is the training prior), ``probability_<label>``.
    """
    own = study.held_out
    table = study.train.table.iloc[own].reset_index(drop=True)
    parts = [_rows(result.task, result.held_out.take(own), table, study.folds[own])]
    for part in study.tests.values():
        parts.append(_rows(result.task, result.ensemble.predict(part.examples.inputs), part.corpus.table, None))
    return pd.concat(parts, ignore_index=True)


def _rows(task: Task, prediction: Prediction, table: pd.DataFrame, folds: np.ndarray | None) -> pd.DataFrame:
    rows = pd.DataFrame({"split": table["split"], "name": table["name"]})
    rows["fold"] = pd.array([pd.NA] * len(rows) if folds is None else folds, dtype="Int64")
    for column, values in task.columns(prediction, list(table["name"])).items():
        rows[column] = values
    for column in ("emotion", "valence", "openset"):
        rows[f"true_{column}"] = table[column]
    rows["without_features"] = ~prediction.known
    probabilities = pd.DataFrame(
        prediction.probabilities, columns=[f"probability_{label}" for label in task.labels], index=rows.index
    )
    return pd.concat([rows, probabilities], axis=1)
