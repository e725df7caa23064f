import numpy as np
import pytest
import torch

from toolkit.models.dropout import LEVELS, Chance, Dropout

CPU = torch.device("cpu")


class Bytes:
    """A chance that is no chance: gives the bytes it was told."""

    def __init__(self, *models):
        self.models = torch.tensor(models, dtype=torch.uint8)

    def draw(self, shape):
        return self.models.reshape(-1, *shape)


def dropout(probability, chance=None, probabilities=None):
    layer = Dropout(probability).train()
    layer.chance = chance
    layer.probabilities = None if probabilities is None else torch.tensor(probabilities)
    return layer


def test_hand_computed():
    layer = dropout(0.25, Bytes([0, 191, 192, 255]))  # 192 of 256 levels keep a number
    assert layer(torch.tensor([[3.0, 6.0, 9.0, 12.0]])).tolist() == [[4.0, 8.0, 0.0, 0.0]]


def test_hand_computed_of_a_stack():
    layer = dropout(0.9, Bytes([127, 128], [255, 0], [0, 3]), [0.5, 0.0, 1 - 3 / 256])
    values = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]], [[3.0, 6.0]]])
    assert layer(values).tolist() == [[[2.0, 0.0]], [[3.0, 4.0]], [[256.0, 0.0]]]


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("source", ["torch", "chance", "stack"])
def test_share_and_scale(probability, source):
    torch.manual_seed(0)
    layer = dropout(probability, None if source == "torch" else Chance([0], CPU))
    if source == "stack":
        layer.probabilities = torch.tensor([probability])
    dropped = layer(torch.ones(1, 1000, 100))
    kept = LEVELS - round(probability * LEVELS)
    assert dropped.unique().tolist() == pytest.approx([0, LEVELS / kept])
    assert (dropped == 0).float().mean().item() == pytest.approx(1 - kept / LEVELS, abs=0.006)  # 4 standard errors
    assert dropped.mean().item() == pytest.approx(1, abs=0.04)


def test_gradient_is_that_of_what_is_kept():
    layer = dropout(0.25, Bytes([0, 191, 192, 255]))
    values = torch.ones(1, 4, requires_grad=True)
    layer(values).sum().backward()
    assert values.grad[0].tolist() == pytest.approx([4 / 3, 4 / 3, 0, 0])


def test_not_outside_training():
    values = torch.ones(2, 50)
    for layer in (dropout(0.5), dropout(0.5, Chance([0], CPU)), dropout(0.5, Chance([0, 1], CPU), [0.5, 0.9])):
        assert layer.eval()(values) is values


def test_nothing_to_drop():
    values = torch.ones(2, 50)
    assert dropout(0.0)(values) is values
    assert torch.equal(dropout(0.0, Chance([0, 1], CPU), [0.0, 0.0])(values), values)


@pytest.mark.parametrize("probability", [0.998, 0.999, 0.99999999])
def test_nearly_all_dropped_is_finite(probability):
    values = torch.ones(1, 100000)
    for layer in (dropout(probability), dropout(probability, Chance([0], CPU), [probability])):
        dropped = layer(values)
        assert dropped.isfinite().all()
        assert dropped.mean().item() == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("probability", [-0.1, 1, 1.5, float("nan")])
def test_probability_that_is_none(probability):
    with pytest.raises(ValueError, match=r"a dropout probability of .*, expected 0 to below 1"):
        Dropout(probability)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_number_type_stays(dtype):
    values = torch.ones(1, 50, dtype=dtype)
    for layer in (dropout(0.5), dropout(0.5, Chance([0], CPU)), dropout(0.5, Chance([0], CPU), [0.5])):
        assert layer(values).dtype == dtype


def test_plain_numbers_as_those_of_a_stack():
    values, drawn = torch.full((1, 256), 3.0), torch.arange(256, dtype=torch.uint8)[None]
    for probability in (*(level / LEVELS for level in range(LEVELS)), 0.1, 0.3, 0.35, 0.7, 0.999):
        alone, stacked = dropout(probability), dropout(probability, None, [probability])
        for layer in (alone, stacked):
            layer._drawn = lambda _: drawn
        assert torch.equal(alone(values), stacked(values))


def test_it_is_in_no_state_dictionary():
    assert dropout(0.5, Chance([0], CPU), [0.5]).state_dict() == {}


def test_probabilities_go_where_the_weights_go():
    assert dropout(0.5, None, [0.5]).to("meta").probabilities.device.type == "meta"


def test_the_global_generator_is_left_alone_where_there_is_a_chance():
    before = torch.get_rng_state()
    dropout(0.5, Chance([0, 1], CPU), [0.5, 0.9])(torch.ones(2, 50))
    dropout(0.5, Chance([0], CPU))(torch.ones(50))
    assert torch.equal(torch.get_rng_state(), before)


SHAPES = [(3, 5), (32, 48), (1,), (7,), (), (0, 4), (2, 3, 4)]


def test_chance_is_the_same_alone_and_with_others():
    together = Chance([4, 2, 9], CPU)
    alone = [Chance([seed], CPU) for seed in (4, 2, 9)]
    for shape in SHAPES:
        drawn = together.draw(shape)
        assert drawn.shape == (3, *shape)
        assert drawn.dtype == torch.uint8
        for model in range(3):
            assert torch.equal(drawn[model], alone[model].draw(shape)[0])


def test_models_of_one_seed_share_their_bytes():
    together, alone = Chance([4, 2, 4, 4], CPU), Chance([4, 2], CPU)
    for shape in SHAPES:
        drawn, expected = together.draw(shape), alone.draw(shape)
        assert torch.equal(drawn, expected[[0, 1, 0, 0]])


def test_chance_of_seeds_and_of_draws_differ():
    chance = Chance([0, 1], CPU)
    first, second = chance.draw((1000,)), chance.draw((1000,))
    for one, other in ((first[0], first[1]), (first[0], second[0])):
        assert (one == other).float().mean() < 0.05  # 1 in 256 by chance


def test_every_byte_is_as_likely():
    counts = np.bincount(Chance([3], CPU).draw((256 * 4000,)).numpy().ravel(), minlength=256)
    chi_square = ((counts - 4000) ** 2 / 4000).sum()
    assert 170 < chi_square < 355  # 255 degrees of freedom: within 4 standard deviations of 22.6


def test_numbers_next_to_each_other_are_independent():
    kept = Chance([3], CPU).draw((100_000,))[0].numpy() < 128
    for lag in (1, 2, 4, 8):  # bytes of one word and of the next
        assert np.corrcoef(kept[:-lag], kept[lag:])[0, 1] == pytest.approx(0, abs=0.013)
