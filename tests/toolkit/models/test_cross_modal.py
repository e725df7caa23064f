import pytest
import torch
from torch import nn

from toolkit.models.cross_modal import CrossModalTransformer, MultiheadAttention, visible
from toolkit.models.dropout import Chance, Dropout
from toolkit.models.network import Sequences


def sequences(lengths, dim=4, *, seed=0, padding=3.0):
    """Random frames, with the same number everywhere behind the real ones."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(lengths), max(1, *lengths), dim, generator=generator)
    made = Sequences(values, torch.tensor(lengths))
    return Sequences(torch.where(made.mask[..., None], values, padding), made.lengths)


def test_what_is_visible():
    seen = visible(sequences([2, 3, 3]), sequences([4, 1, 0])).int()
    assert seen[0].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]  # two frames more, so two further ahead
    assert seen[1].tolist() == [[1, 0, 0, 0]] * 3
    assert seen[2].tolist() == [[0, 0, 0, 0]] * 3
    same = sequences([3])
    assert visible(same, same)[0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_attention_is_that_of_torch():
    torch.manual_seed(0)
    ours, theirs = MultiheadAttention(6, 3, 0.0), nn.MultiheadAttention(6, 3, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)
    with torch.no_grad():
        for part, linear in ((slice(0, 6), ours.query), (slice(6, 18), ours.key_value)):
            linear.weight.copy_(theirs.in_proj_weight[part])
            linear.bias.copy_(theirs.in_proj_bias[part])
    ours.output.load_state_dict(theirs.out_proj.state_dict())
    target, source = sequences([3, 2], 6), sequences([2, 5], 6, seed=1)
    seen = visible(target, source)
    expected, _ = theirs(target.values, source.values, source.values, attn_mask=~seen.repeat_interleave(3, dim=0))
    torch.testing.assert_close(ours(target.values, source.values, seen), expected)


def test_a_source_without_frames_adds_nothing():
    transformer = CrossModalTransformer(4, 2, 2, 0.0)
    nn.init.ones_(transformer.layers[0].attention.output.bias)
    target, source = sequences([3, 2]), sequences([0, 2], seed=1, padding=1e6)
    values = 2 * target.values[0]
    for layer in transformer.layers:
        values = values + layer.narrow(layer.wide(layer.norms[1](values)).relu())
    torch.testing.assert_close(transformer(target, source)[0], transformer.norm(values))


@pytest.mark.parametrize("crossed", [True, False])
def test_padding_changes_nothing(crossed):
    transformer = CrossModalTransformer(4, 2, 2, 0.0)
    short, more = (
        (sequences([3, 2], padding=number), sequences([1, 4], seed=1, padding=-number)) for number in (3.0, 1e6)
    )
    longer = [Sequences(nn.functional.pad(values, (0, 0, 0, 3), value=7), lengths) for values, lengths in more]
    (expected, others), mask = (
        (transformer(pair[0], pair[1] if crossed else None) for pair in (short, longer)),
        short[0].mask,
    )
    torch.testing.assert_close(others[:, :3][mask], expected[mask])


def test_no_frames_at_all_give_finite_gradients():
    transformer = CrossModalTransformer(4, 2, 2, 0.0)
    transformer(sequences([0, 0]), sequences([0, 0])).sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in transformer.parameters())


def test_dropout_draws_from_its_own_chance():
    transformer, same = CrossModalTransformer(4, 2, 2, 0.5), sequences([3, 2])

    def drawn(seed):
        chance = Chance([seed], torch.device("cpu"))
        for module in transformer.modules():
            if isinstance(module, Dropout):
                module.chance = chance
        return transformer(same)

    torch.testing.assert_close(drawn(1), drawn(1), rtol=0, atol=0)
    assert not torch.equal(drawn(1), drawn(2))


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="6 numbers cannot be divided among 4 heads"):
        CrossModalTransformer(6, 4, 2, 0.0)
    with pytest.raises(ValueError, match="0 layers, expected 1 or more"):
        CrossModalTransformer(6, 3, 0, 0.0)
