"""Early fusion: torch's own layers, and dropout in three places."""

import pytest
import torch
from torch import nn

from toolkit.errors import UserError
from toolkit.models.ef_lstm import EarlyFusionLSTM
from toolkit.models.network import Sequences, build_network


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


@pytest.mark.parametrize("place", ["between the layers", "on the last state", "on the fused"])
def test_dropout(place, monkeypatch):
    """Everything is dropped in one of three places, nothing in the others."""
    network = EarlyFusionLSTM({"audio": 3}, 4, hidden=40, layers=2, dropout=0.5).train()
    features = {"audio": Sequences(torch.randn(2, 4, 3), torch.tensor([4, 2]))}
    places = iter(["between the layers", "on the last state", "on the fused"])
    monkeypatch.setattr(network.dropout, "forward", lambda values: values * (next(places) != place))
    output, nothing_read = network(features).features, network.linear.bias.relu().expand(2, -1)
    assert next(places, None) is None
    assert torch.equal(output, nothing_read) == (place == "on the last state")
    assert output.any() == (place != "on the fused")


def test_no_layers():
    with pytest.raises(UserError, match="0 LSTM layers, expected 1 or more"):
        build_network("ef_lstm", {"audio": 3}, 4, layers=0)
