import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.lmf import LowRankFusion
from toolkit.models.network import build_network


@pytest.mark.parametrize("modalities", [1, 2, 4])
def test_low_rank_is_a_linear_map_of_the_outer_product(modalities):
    """Written out: the sum over r of w_r times the factors' tensor product, applied to that of all [1, h]."""
    torch.manual_seed(0)
    network = LowRankFusion({f"m{number}": 3 for number in range(modalities)}, 2, hidden=4, rank=3).double().eval()
    with torch.no_grad():
        network.bias.normal_()
    values = {key: torch.randn(5, 3, dtype=torch.float64) for key in network.inputs}
    encoded = [encoder(part) for encoder, part in zip(network.encoders, values.values(), strict=True)]
    expected = torch.zeros(5, 2, dtype=torch.float64)
    for clip in range(5):
        for column in range(2):
            total = network.bias[column]
            for rank in range(3):
                product, tensor = torch.ones(1).double(), torch.ones(1).double()
                for factor, part in zip(network.factors, encoded, strict=True):
                    row = rank * 2 + column
                    weights = torch.cat([factor.bias[row, None], factor.weight[row]])
                    product = torch.outer(product, weights).flatten()
                    tensor = torch.outer(tensor, torch.cat([torch.ones(1), part[clip]])).flatten()
                total = total + network.mixture[rank] * (product * tensor).sum()
            expected[clip, column] = total
    torch.testing.assert_close(network(values).features, expected)


def test_start_is_that_of_the_reference():
    """Xavier's normal with torch's fans of (rank, 1 + hidden, width) and (1, rank)."""
    torch.manual_seed(0)
    network = LowRankFusion({"a": 8, "b": 8}, 2, hidden=128, rank=6)
    expected = torch.empty(6, 129, 64)
    torch.nn.init.xavier_normal_(expected)
    for factor in network.factors:
        assert factor.weight.std().item() == pytest.approx(expected.std().item(), rel=0.05)
        assert factor.bias.std().item() == pytest.approx(expected.std().item(), rel=0.15)
    draws = torch.stack([LowRankFusion({"a": 1}, 2, hidden=2, rank=6).mixture.detach() for _ in range(300)])
    assert draws.std().item() == pytest.approx((2 / 7) ** 0.5, rel=0.05)
    assert not network.bias.any()


@pytest.mark.parametrize(("inputs", "power"), [(1, 1), (3, 1), (4, 0.75), (6, 0.5), (12, 0.25)])
def test_start_of_the_product_is_that_of_three_inputs(inputs, power):
    """By hand: 128 wide and of rank 4, the reference's deviation is sqrt(2 / (129 * 64 + 4 * 64)) = 0.01533."""
    torch.manual_seed(0)
    network = LowRankFusion({f"m{number:02}": 8 for number in range(inputs)}, 2, hidden=128)
    for factor in network.factors:
        assert factor.weight.std().item() == pytest.approx(0.01533**power, rel=0.05)
        assert factor.bias.std().item() == pytest.approx(0.01533**power, rel=0.2)


@pytest.mark.parametrize("inputs", [2, 3, 6, 12])
def test_learns_from_one_of_any_number_of_inputs(inputs):
    torch.manual_seed(0)
    network = build_network("lmf", {f"m{number:02}": 8 for number in range(inputs)}, 2, hidden=32, dropout=0.0)
    features = {key: torch.randn(256, 8) for key in network.inputs}
    truth = (features["m00"][:, 0] > 0).long()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3, weight_decay=1e-5)
    for _ in range(120):
        loss = torch.nn.functional.cross_entropy(network(features).emotion_logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = network(features).emotion_logits.argmax(dim=1) == truth
    assert right.float().mean() > 0.95


def test_rank_of_nothing():
    with pytest.raises(UserError, match="a rank of 0, expected 1 or more"):
        build_network("lmf", {"a": 3}, 2, rank=0)
