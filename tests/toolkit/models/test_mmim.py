import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.losses import contrastive_prediction, gaussian_information
from toolkit.models.mmim import MultimodalInfoMax
from toolkit.models.network import build_network

DIMS = {"audio": 4, "face": 2, "text": 3, "visual": 6}
PRESENT = {
    "audio": torch.tensor([True, False, True, True, False]),
    "face": torch.ones(5, dtype=torch.bool),
    "text": torch.tensor([True, True, False, True, False]),
    "visual": torch.ones(5, dtype=torch.bool),
}


def draw(dims):
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(5, dim, generator=generator) for key, dim in dims.items()}


@pytest.mark.parametrize(
    ("keys", "anchor", "related"),
    [
        (["audio", "face", "text", "visual"], None, "text"),
        (["audio", "face", "text", "visual"], "face", "face"),
        (["face", "visual"], None, "face"),
        (["audio"], None, "audio"),
    ],
)
def test_own_loss_is_made_of_its_two(keys, anchor, related):
    torch.manual_seed(0)
    dims, masks = {key: DIMS[key] for key in keys}, {key: PRESENT[key] for key in keys}
    network = MultimodalInfoMax(dims, 3, hidden=6, contrast_weight=0.3, information_weight=0.7, anchor=anchor).eval()
    features = draw(dims)
    output = network(features, masks)
    encoded = {
        key: encoder(features[key]) * masks[key][:, None] for key, encoder in zip(keys, network.encoders, strict=True)
    }
    contrast = sum(
        contrastive_prediction(encoded[key], predictor(output.features), masks[key])
        for key, predictor in zip(keys, network.predictors, strict=True)
    )
    others = [key for key in keys if key != related]
    information = sum(
        gaussian_information(
            mean(encoded[related]), log_variance(encoded[related]), encoded[key], masks[key] & masks[related]
        )
        for key, mean, log_variance in zip(others, network.means, network.log_variances, strict=True)
    )
    torch.testing.assert_close(output.auxiliary_loss, 0.3 * contrast - 0.7 * information)


def test_weights_of_the_losses():
    network = MultimodalInfoMax(DIMS, 3, hidden=6, contrast_weight=0, information_weight=0).eval()
    assert network(draw(DIMS)).auxiliary_loss == 0


@pytest.mark.parametrize(("layers", "expected"), [(1, "L"), (2, "L T L"), (4, "L T L L L")])
def test_layers_of_a_predictor(layers, expected):
    """Only the first of several has an activation, as in the reference; no vector is of more than one layer."""
    network = MultimodalInfoMax({"audio": 4}, 3, hidden=6, prediction_layers=layers)
    kinds = {"Linear": "L", "Tanh": "T"}
    found = [kinds[type(part).__name__] for part in network.predictors[0].modules() if type(part).__name__ in kinds]
    assert " ".join(found) == expected


def test_encodings_of_zeros_leave_all_finite():
    """Dead ReLUs, from which on the reference is NaN."""
    network = MultimodalInfoMax({"audio": 4, "text": 3}, 3, hidden=6)
    with torch.no_grad():
        network.encoders[0].linear[2].bias.fill_(-1e3)
    features = draw(network.inputs)
    output = network(features)
    assert not network.encoders[0](features["audio"]).any()
    (output.emotion_logits.sum() + output.auxiliary_loss).backward()
    assert output.auxiliary_loss.isfinite()
    assert all(weight.grad.isfinite().all() for weight in network.parameters() if weight.grad is not None)


def test_wrong_options():
    with pytest.raises(UserError, match="0 layers that predict a modality, expected 1 or more"):
        build_network("mmim", {"audio": 4}, 3, prediction_layers=0)
    with pytest.raises(UserError, match="anchor 'text' is none of the inputs"):
        build_network("mmim", {"audio": 4}, 3, anchor="text")
