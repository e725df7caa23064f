"""The combined score of the MULTI track."""

import pytest

from toolkit.metrics.combined import emotion_valence_score


def test_published_row():
    # MER2023 paper, table 3: HUBERT-large + MacBERT-large + ResNet-FER, MULTI: 77.57, 0.88, 0.56
    assert emotion_valence_score(0.7757, 0.88) == pytest.approx(0.5557)
