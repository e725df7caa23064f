import itertools

import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.losses import central_moment_discrepancy, difference, squared_error
from toolkit.models.misa import InvariantAndSpecific
from toolkit.models.network import build_network

DIMS = {"audio": 4, "face": 2, "text": 3, "visual": 6}
PRESENT = {
    "audio": torch.tensor([True, False, True, True, False]),
    "text": torch.tensor([True, True, False, True, False]),
}


def draw(dims):
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(5, dim, generator=generator) for key, dim in dims.items()}


def parts(network, features, number):
    """Projected, private and shared of one modality."""
    key = list(network.inputs)[number]
    projected = network.projections[number](network.encoders[number](features[key]))
    return projected, network.private[number](projected).sigmoid(), network.shared(projected).sigmoid()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_own_loss_is_made_of_its_three(count):
    """Over every number of modalities, and the clips that have them."""
    dims = dict(list(DIMS.items())[:count])
    features, masks = draw(dims), [PRESENT.get(key, torch.ones(5, dtype=torch.bool)) for key in dims]
    pairs = list(itertools.combinations(range(count), 2))
    for wanted in itertools.product([0.0, 0.3], [0.0, 0.5], [0.0, 2.0]):
        torch.manual_seed(0)
        names = ("similarity_weight", "difference_weight", "restoration_weight")
        network = InvariantAndSpecific(dims, 3, hidden=6, **dict(zip(names, wanted, strict=True))).eval()
        projected, private, shared = zip(*(parts(network, features, number) for number in range(count)), strict=True)
        alike = [central_moment_discrepancy(shared[i], shared[j], masks[i], masks[j]) for i, j in pairs]
        unlike = [difference(private[i], shared[i], masks[i]) for i in range(count)]
        unlike += [difference(private[i], private[j], masks[i] & masks[j]) for i, j in pairs]
        restored = [
            squared_error(network.restore[i](private[i] + shared[i]), projected[i], masks[i]) for i in range(count)
        ]
        terms = (sum(alike) / max(1, len(pairs)), sum(unlike), sum(restored) / count)
        expected = sum(weight * torch.as_tensor(term) for weight, term in zip(wanted, terms, strict=True))
        output = network(features, dict(zip(dims, masks, strict=True)))
        torch.testing.assert_close(output.auxiliary_loss, expected, rtol=1e-5, atol=1e-6)


def test_tokens_of_a_modality_that_a_clip_lacks_have_no_part_in_it():
    torch.manual_seed(0)
    network = InvariantAndSpecific({"audio": 4, "text": 3}, 3, hidden=6).eval()
    features = draw(network.inputs)
    _, private, shared = parts(network, features, 1)
    tokens = torch.stack([private[1], shared[1]])[None]
    mixed = network.transformer(tokens, torch.ones(1, 2, dtype=torch.bool))[0]
    zero = torch.zeros(6)
    expected = network.fusion(torch.cat([zero, mixed[0], zero, mixed[1]]))
    torch.testing.assert_close(network(features, PRESENT).features[1], expected)


def test_two_heads_need_an_even_width():
    with pytest.raises(UserError, match="tokens of 7 numbers do not divide among 2 heads"):
        build_network("misa", {"audio": 4}, 3, hidden=7)
