"""Ways to make one vector of rows, by hand."""

import numpy as np
import pytest

from feature_extraction.text.pooling import Pooling
from toolkit.errors import UserError

ROWS = [[1.0, 8.0], [3.0, 2.0], [8.0, 5.0], [4.0, 1.0]]


@pytest.mark.parametrize(
    ("modes", "vector"),
    [
        (["mean"], [4, 4]),
        (["cls"], [1, 8]),
        (["lasttoken"], [4, 1]),
        (["max"], [8, 8]),
        (["mean_sqrt_len_tokens"], [8, 8]),
        (["weightedmean"], [(1 + 6 + 24 + 16) / 10, (8 + 4 + 15 + 4) / 10]),
        (["cls", "mean"], [1, 8, 4, 4]),
    ],
)
def test_by_hand(modes, vector):
    import torch

    vectors = Pooling(modes)([torch.tensor(ROWS), torch.tensor(ROWS[:1])])
    np.testing.assert_allclose(vectors[0], vector, rtol=1e-6)
    np.testing.assert_allclose(vectors[1], [1, 8] * len(modes), rtol=1e-6)


def test_maps_then_length_one():
    import torch

    linear = torch.nn.Linear(2, 2, bias=False)
    linear.weight.data = torch.tensor([[1.0, 0.5], [2.0, 0.0]])
    (vector,) = Pooling(["mean"], [linear], normalised=True)([torch.tensor(ROWS)]).detach()
    np.testing.assert_allclose(vector, [0.6, 0.8], rtol=1e-6)  # 6 and 8 before


def test_unknown_mode():
    with pytest.raises(UserError, match="Did you mean 'mean'"):
        Pooling(["meen"])
