from pathlib import Path

import pandas as pd
import pytest
import torch

from baseline.context import with_context, with_twins
from baseline.dataset import Inputs
from toolkit.corpus import Corpus, corpus_from_table

GROUPS = ["u", "u", "u", "v", "v", None]
VALUES = torch.tensor([[1.0], [2.0], [4.0], [8.0], [16.0], [32.0]])


def corpus(**columns: list) -> Corpus:
    table = pd.DataFrame({"name": [f"clip{number}" for number in range(len(GROUPS))], **columns})
    return corpus_from_table("tiny", Path("clips"), table)


def inputs(*absent: int) -> Inputs:
    present = torch.tensor([number not in absent for number in range(len(GROUPS))])
    return Inputs(tuple(corpus().table["name"]), {"x": VALUES.clone()}, {"x": present})


@pytest.mark.parametrize(
    ("reach", "absent", "expected", "known"),
    [
        (1, (), [2, 2.5, 2, 16, 8, 0], [1, 1, 1, 1, 1, 0]),
        (2, (), [3, 2.5, 1.5, 16, 8, 0], [1, 1, 1, 1, 1, 0]),
        (9, (), [3, 2.5, 1.5, 16, 8, 0], [1, 1, 1, 1, 1, 0]),
        (1, (1,), [0, 2.5, 0, 16, 8, 0], [0, 1, 0, 1, 1, 0]),
    ],
)
def test_by_hand(reach, absent, expected, known):
    """Means of the neighbours of the same group that have the feature; the clip itself is not among them."""
    result = with_context(inputs(*absent), corpus(video=GROUPS), "video", reach)
    assert list(result.values) == ["x", "x~context"]
    assert result.values["x~context"][:, 0].tolist() == expected
    assert result.present["x~context"].tolist() == [bool(one) for one in known]
    assert torch.equal(result.values["x"], VALUES)


@pytest.mark.parametrize("group", [None, "dialogue"])
def test_without_the_column_nothing_has_a_context(group):
    result = with_context(inputs(), corpus(), group, 2)
    assert not result.present["x~context"].any()


def test_twins_go_with_their_features():
    assert with_twins(["b"], ["a", "a~context", "b", "b~context"]) == ["b", "b~context"]
    assert with_twins(["b"], ["a", "b"]) == ["b"]
