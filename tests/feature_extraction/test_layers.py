import pytest
import torch

from feature_extraction.layers import choose_layers, combine_layers
from toolkit.errors import UserError

# Three hidden states of two rows: the embeddings, then two layers.
STATES = [
    torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    torch.tensor([[10.0, 20.0], [30.0, 40.0]]),
    torch.tensor([[100.0, 200.0], [300.0, 400.0]]),
]


@pytest.mark.parametrize(
    ("layers", "combine", "expected"),
    [
        ((), "mean", [[100, 200], [300, 400]]),
        ((), "sum", [[100, 200], [300, 400]]),
        ((0,), "sum", [[1, 2], [3, 4]]),
        ((-2, -1), "sum", [[110, 220], [330, 440]]),
        ((-2, -1), "mean", [[55, 110], [165, 220]]),
        ((2, 0), "keep", [[100, 200, 1, 2], [300, 400, 3, 4]]),
        ((), "keep", [[1, 2, 10, 20, 100, 200], [3, 4, 30, 40, 300, 400]]),
        ((-1, -1), "sum", [[200, 400], [600, 800]]),
    ],
)
def test_combine(layers, combine, expected):
    assert combine_layers(STATES, layers, combine).tolist() == expected


def test_states_are_left_alone():
    before = [state.clone() for state in STATES]
    combine_layers(STATES, (0, 1, 2), "sum")
    combine_layers(STATES, (0, 1, 2), "mean")
    assert all(torch.equal(one, other) for one, other in zip(STATES, before, strict=True))


def test_half_precision_states_are_added_in_full():
    states = [torch.full((1, 1), 60000.0, dtype=torch.float16)] * 4  # their sum is infinite in float16
    assert combine_layers(states, (0, 1, 2, 3), "sum").item() == 240000.0
    assert combine_layers(states, (0, 1, 2, 3), "mean").item() == 60000.0
    assert combine_layers(states, (0,), "keep").dtype == torch.float32


@pytest.mark.parametrize("layer", [3, 99, -4])
def test_no_such_layer(layer):
    with pytest.raises(UserError, match=rf"no layer {layer}: this network has 2 layers .* 0 .* to 2, .* -1 to -3"):
        combine_layers(STATES, (0, layer), "mean")


def test_choice():
    assert choose_layers((), "sum", 5) == [4]
    assert choose_layers((), "keep", 5) == [0, 1, 2, 3, 4]
    assert choose_layers((-5, 4, 0), "keep", 5) == [0, 4, 0]


def test_no_such_way_to_combine():
    with pytest.raises(UserError, match="Did you mean 'mean'"):
        combine_layers(STATES, (), "maen")
