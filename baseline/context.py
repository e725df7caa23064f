"""What is said around a clip: the mean features of the clips beside it in its video or dialogue."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from baseline.dataset import Inputs
from toolkit.corpus import Corpus

SUFFIX = "~context"


def twin(feature: str) -> str:
    """Returns the name of a feature's context.

    Examples:
        >>> twin("egemaps")
        'egemaps~context'
    """
    return feature + SUFFIX


def is_context(feature: str) -> bool:
    """Returns whether a feature is the context of another."""
    return feature.endswith(SUFFIX)


def with_twins(features: Iterable[str], known: Iterable[str]) -> list[str]:
    """Returns features and, where they are known, their contexts."""
    have = set(known)
    return [name for feature in features for name in (feature, twin(feature)) if name in have]


def with_context(inputs: Inputs, corpus: Corpus, group: str | None, reach: int) -> Inputs:
    """Returns features and for each a second one, its mean over the clips beside a clip.

    Beside it are the clips up to ``reach`` rows before and after it in the corpus that have the same value in the
    column ``group`` and have the feature; a clip without any has no context. Labels are not looked at. In
    conversations and monologues neighbours tell much of a clip (Poria et al., ACL 2017, bc-LSTM).

    Args:
        inputs: vectors of the clips of the corpus, in its order
        corpus: the clips; where it lacks the column, no clip has a context
        group: column that says which clips belong together
        reach: number of clips on either side
    """
    values, present = dict(inputs.values), dict(inputs.present)
    codes = _codes(corpus, group)
    for key, vectors in inputs.values.items():
        total, count = torch.zeros_like(vectors), torch.zeros(len(inputs), 1, device=vectors.device)
        for step in [step for step in range(-reach, reach + 1) if step]:
            rows = np.arange(max(0, -step), min(len(inputs), len(inputs) - step))
            rows = torch.from_numpy(rows[(codes[rows] >= 0) & (codes[rows] == codes[rows + step])]).to(vectors.device)
            there = inputs.present[key][rows + step]
            total[rows[there]] += vectors[rows[there] + step]
            count[rows[there]] += 1
        values[twin(key)] = total / count.clamp(min=1)
        present[twin(key)] = count[:, 0] > 0
    return Inputs(inputs.names, dict(sorted(values.items())), dict(sorted(present.items())))


def _codes(corpus: Corpus, group: str | None) -> np.ndarray:
    """Returns a number for each clip's group, -1 where it has none."""
    if group is None or group not in corpus.table:
        return np.full(len(corpus), -1)
    return pd.factorize(corpus.table[group])[0]
