import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.losses import maximum_mean_discrepancy
from toolkit.models.mfm import MultimodalFactorization
from toolkit.models.network import Sequences, build_network

DIMS = {"audio": 4, "face": 2, "text": 3}
LENGTHS = torch.tensor([3, 6, 1, 5])
PRESENT = {"audio": torch.tensor([True, False, True, True]), "text": torch.tensor([True, True, False, False])}


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return {key: Sequences(torch.randn(4, 6, dim, generator=generator), LENGTHS) for key, dim in DIMS.items()}


def build(**options):
    torch.manual_seed(0)
    return MultimodalFactorization(DIMS, 3, hidden=6, memory=5, **options).eval()


def everywhere(given):
    return {key: given.get(key, torch.ones(4, dtype=torch.bool)) for key in DIMS}


def latent_of(network, features, present):
    """The latent variables of every clip, the joint one first, and which clips have them."""
    values = [network.joint(network.fusion(features, present))]
    values += [encoder(features[key]) for key, encoder in zip(DIMS, network.encoders, strict=True)]
    return values, [torch.ones(4, dtype=torch.bool), *present.values()]


def test_own_loss_by_hand(features):
    """Clip by clip: what is restored of each is measured at its real frames only."""
    weights = {"audio": 0.5, "face": 0.1, "text": 2.0}
    network = build(normality_weight=3.0, restoration_weight=weights)
    present = everywhere(PRESENT)
    latent, masks = latent_of(network, features, present)
    expected = 3 * sum(
        maximum_mean_discrepancy(values, sample, mask)
        for values, sample, mask in zip(latent, network.sample, masks, strict=True)
    )
    label, *others = [factor(values).relu() for factor, values in zip(network.factors, latent, strict=True)]
    codes = torch.stack([torch.cat([label, other], dim=1) for other in others])
    for key, written in zip(DIMS, network.decoder(codes, 6), strict=True):
        squares = [
            (written[clip, :length] - features[key].values[clip, :length]).square().flatten()
            for clip, length in enumerate(LENGTHS)
            if present[key][clip]
        ]
        expected = expected + weights[key] * torch.cat(squares).mean()
    output = network(features, PRESENT)
    torch.testing.assert_close(output.auxiliary_loss, expected)
    torch.testing.assert_close(output.features, network.output(label))


def test_one_weight_for_all(features):
    network, separate = build(restoration_weight=0.7), build(restoration_weight=dict.fromkeys(DIMS, 0.7))
    assert network(features).auxiliary_loss == separate(features).auxiliary_loss
    assert build(restoration_weight=0, normality_weight=0)(features).auxiliary_loss == 0


def test_nothing_depends_on_chance_nor_disturbs_it(features):
    """The reference draws at each call, in evaluation too."""
    network = build(dropout=0.0)
    before = torch.random.get_rng_state()
    first, second = network(features), network.train()(features)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.manual_seed(123)
    assert torch.equal(MultimodalFactorization(DIMS, 3, hidden=6).sample, network.sample)
    assert "sample" not in network.state_dict()


def test_evaluation_restores_nothing(features):
    network, asked = build(), []
    for key in ("joint", "decoder", "encoders.0"):
        network.get_submodule(key).register_forward_hook(lambda *_, key=key: asked.append(key))
    with torch.no_grad():
        network(features)
    assert asked == ["joint"]
    network(features)
    assert asked == ["joint", "joint", "encoders.0", "decoder"]


def test_the_sample_changes_the_loss_alone(features):
    network = build()
    before = network(features)
    network.sample = torch.zeros_like(network.sample)
    after = network(features)
    assert after.auxiliary_loss != before.auxiliary_loss
    torch.testing.assert_close(after[:3], before[:3], rtol=0, atol=0)


def test_the_sample_is_normal():
    sample = build().sample
    assert sample.shape == (4, 256, 6)
    assert sample.mean().item() == pytest.approx(0, abs=0.03)
    assert sample.std().item() == pytest.approx(1, abs=0.03)


def test_weights_of_other_modalities():
    with pytest.raises(UserError, match=r"weights of \['audio'\], expected one number for all, or one for each of"):
        build_network("mfm", DIMS, 3, restoration_weight={"audio": 1.0})
