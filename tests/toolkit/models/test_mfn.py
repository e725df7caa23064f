"""The memory fusion network: clips of any lengths, and the layers that read the last states."""

import pytest
import torch

from references.fusion import FusionCase
from toolkit.models.mfn import MemoryFusionNetwork
from toolkit.models.network import Sequences


@pytest.fixture
def case(parity) -> FusionCase:
    return FusionCase(parity / "fusion_mfn_a_align.safetensors")


def test_a_clip_among_longer_ones_is_itself(case):
    """In the reference a clip that is padded to the length of the others gives other numbers."""
    network = case.build()
    lengths = torch.tensor([6, 1, 3, 2, 4])
    ragged = {key: Sequences(part.values, lengths) for key, part in case.features.items()}
    output = network(ragged)
    for clip, length in enumerate(lengths):
        alone = {
            key: Sequences(part.values[clip : clip + 1, :length], lengths[clip : clip + 1])
            for key, part in case.features.items()
        }
        torch.testing.assert_close(output.emotion_logits[clip], network(alone).emotion_logits[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(output.features[0], case.vectors.tensors["outputs/features"][0], rtol=1e-4, atol=1e-5)


def test_two_layers_read_the_last_states():
    torch.manual_seed(0)
    network = MemoryFusionNetwork({"audio": 3, "face": 2}, 4, hidden=6, memory=5).eval()
    lengths = torch.tensor([3, 2])
    features = {"audio": Sequences(torch.randn(2, 3, 3), lengths), "face": Sequences(torch.randn(2, 3, 2), lengths)}
    last = network.fusion(features, {key: torch.ones(2, dtype=torch.bool) for key in features})
    assert last.shape == (2, 2 * 6 + 5)
    first, second = network.output[0], network.output[3]
    expected = (last @ first.weight.T + first.bias).relu() @ second.weight.T + second.bias
    torch.testing.assert_close(network(features).features, expected)
    assert expected.shape == (2, 3)
