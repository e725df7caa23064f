import math

import pytest
import torch

from toolkit.errors import UserError
from toolkit.models import tfn
from toolkit.models.network import build_network
from toolkit.models.tfn import TensorFusion


def products(network, values):
    """What the first layer after the fusion reads."""
    seen = []
    handle = network.linear[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(values)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_every_product_of_every_subset(modalities):
    torch.manual_seed(0)
    network = TensorFusion({f"m{number}": 3 for number in range(modalities)}, 2, hidden=2).eval()
    values = {key: torch.randn(2, 3) for key in network.inputs}
    encoded = [encoder(part) for encoder, part in zip(network.encoders, values.values(), strict=True)]
    seen = products(network, values)
    assert seen.shape == (2, 3**modalities)
    for clip in range(2):
        for place, product in enumerate(seen[clip]):
            digits = [place // 3 ** (modalities - 1 - number) % 3 for number in range(modalities)]
            factors = [part[clip, digit - 1].item() for part, digit in zip(encoded, digits, strict=True) if digit]
            assert product.item() == pytest.approx(math.prod(factors), rel=1e-5)


def test_products_of_the_others_are_left_where_one_is_missing():
    torch.manual_seed(0)
    network = TensorFusion({"a": 3, "b": 3}, 2, hidden=2).eval()
    values = torch.randn(1, 3)
    a = network.encoders[0](values)[0]
    seen = products(network, {"a": values}).reshape(3, 3)  # by a, then by b
    torch.testing.assert_close(seen[:, 0], torch.cat([torch.ones(1), a]))
    assert not seen[:, 1:].any()


@pytest.mark.parametrize(
    ("modalities", "hidden", "gibibytes", "message"),
    [
        # 129 ** 3 * 128 weights of 16 bytes are 4.09 GiB; 65 ** 3 * 64 are 0.26, 85 ** 3 * 84 are 0.77,
        # 91 ** 3 * 90 are 1.0106 and 90 ** 3 * 89 are 0.967; 129 ** 2 * 128 are 0.03
        (3, 128, 1, r"2,146,689 products.* 4\.1 GiB to train, of 1\.0 GiB.*: hidden 89 or 2 of the 3 modalities$"),
        # 2 ** 30 * 1 * 16 bytes are 16 GiB with the narrowest layer that there is; 5 ** 12 * 4 are 14.6, 5 ** 11 2.9
        (30, 4, 8, r"What fits: 11 of the 30 modalities$"),
        # one modality: 8193 * 8192 * 16 bytes are 1.0001 GiB
        (1, 8192, 1, r"What fits: hidden 8191$"),
    ],
)
def test_what_cannot_fit_is_refused_with_what_would(monkeypatch, modalities, hidden, gibibytes, message):
    monkeypatch.setattr(tfn, "usable_memory", lambda: gibibytes * 2**30)
    inputs = {f"m{number}": 2 for number in range(modalities)}
    with pytest.raises(UserError, match=message):
        build_network("tfn", inputs, 2, hidden=hidden)


def test_what_it_says_would_fit_does(monkeypatch):
    monkeypatch.setattr(tfn, "usable_memory", lambda: 2**22)
    with pytest.raises(UserError, match="hidden 21 or 2 of the 3 modalities"):
        build_network("tfn", {"a": 2, "b": 2, "c": 2}, 2, hidden=40)
    build_network("tfn", {"a": 2, "b": 2, "c": 2}, 2, hidden=21)
    build_network("tfn", {"a": 2, "b": 2}, 2, hidden=40)
    with pytest.raises(UserError, match="hidden 21"):
        build_network("tfn", {"a": 2, "b": 2, "c": 2}, 2, hidden=22)


def test_nothing_fits(monkeypatch):
    monkeypatch.setattr(tfn, "usable_memory", lambda: 100)
    with pytest.raises(UserError, match="neither fewer modalities nor a smaller hidden size; use lmf"):
        build_network("tfn", {"a": 2, "b": 2, "c": 2}, 2, hidden=40)


def test_dropout_on_the_products():
    torch.manual_seed(0)
    network = TensorFusion({"a": 3, "b": 3}, 2, hidden=16, dropout=0.5).train()
    for encoder in network.encoders:
        encoder.dropout.probability = 0.0
    values = {key: torch.randn(20, 3) for key in "ab"}
    seen, whole = products(network, values), products(network.eval(), values)
    kept = seen != 0
    torch.testing.assert_close(seen[kept], 2 * whole[kept])
    assert 0.4 < kept[whole != 0].float().mean() < 0.6
