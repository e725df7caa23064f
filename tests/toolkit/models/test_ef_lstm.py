"""Early fusion: the reference's numbers, dropout in three places, and torch's own layers."""

import pytest
import torch
from torch import nn

from references.fusion import FusionCase
from toolkit.errors import UserError
from toolkit.models.ef_lstm import EarlyFusionLSTM
from toolkit.models.network import Sequences, build_network


@pytest.fixture
def case(parity) -> FusionCase:
    return FusionCase(parity / "fusion_ef_lstm_a_2layer.safetensors")


def test_parity(case):
    network = case.build()
    assert sum(weight.numel() for weight in network.parameters()) == case.vectors.facts["total_parameters"]
    assert [one for one in case.differences() if one.share > 1] == []


@pytest.mark.parametrize("layers", [1, 3])
def test_layers_are_those_of_torch(layers):
    torch.manual_seed(0)
    network = EarlyFusionLSTM({"audio": 3, "text": 2}, 4, hidden=5, layers=layers).eval()
    torchs = nn.LSTM(5, 5, layers, batch_first=True)
    for number, layer in enumerate(network.layers):
        for name, weight in layer.named_parameters():
            getattr(torchs, name.replace("_l0", f"_l{number}")).data = weight.data
    values, lengths = torch.randn(2, 4, 5), torch.tensor([4, 2])
    features = {"audio": Sequences(values[..., :3], lengths), "text": Sequences(values[..., 3:], lengths)}
    states, _ = torchs(values)
    expected = network.linear(torch.stack([states[0, 3], states[1, 1]])).relu()
    torch.testing.assert_close(network(features).features, expected, rtol=0, atol=1e-6)


def test_a_modality_that_a_clip_lacks_has_no_columns():
    torch.manual_seed(0)
    network = EarlyFusionLSTM({"audio": 3, "text": 2}, 4, hidden=5, layers=1).eval()
    without = EarlyFusionLSTM({"audio": 3}, 4, hidden=5, layers=1).eval()
    weights = network.state_dict()
    without.load_state_dict(weights | {"layers.0.weight_ih_l0": weights["layers.0.weight_ih_l0"][:, :3]})
    audio = Sequences(torch.randn(2, 4, 3), torch.tensor([4, 2]))
    torch.testing.assert_close(network({"audio": audio}).features, without({"audio": audio}).features)


@pytest.mark.parametrize("place", ["between the layers", "last state", "fused"])
def test_dropout(place, monkeypatch):
    """Of the three places, one drops and the others do not."""
    torch.manual_seed(0)
    network = EarlyFusionLSTM({"audio": 3}, 4, hidden=40, layers=2, dropout=0.5).train()
    seen = {"between the layers": 3, "last state": 2, "fused": 2}
    calls: list[torch.Tensor] = []

    def drop(values):
        calls.append(values)
        wanted = ["between the layers", "last state", "fused"][len(calls) - 1] == place
        return values * 0 if wanted else values

    monkeypatch.setattr(network.dropout, "forward", drop)
    features = {"audio": Sequences(torch.randn(2, 4, 3), torch.tensor([4, 2]))}
    output = network(features).features
    assert [values.dim() for values in calls] == list(seen.values())
    bias = network.linear.bias.relu().expand(2, -1)
    if place == "fused":
        assert not output.any()
    elif place == "last state":
        torch.testing.assert_close(output, bias)
    else:
        assert not torch.allclose(output, bias)


def test_no_layers():
    with pytest.raises(UserError, match="0 LSTM layers, expected 1 or more"):
        build_network("ef_lstm", {"audio": 3}, 4, layers=0)
