import numpy as np
import pytest
import torch
from PIL import Image

from toolkit.models.ferplus import FerPlus


@pytest.fixture(scope="module", params=["resnet50", "senet50"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def vectors(face_network, name):
    return face_network(f"{name}_ferplus_dag")


def test_keys(vectors, name, entries):
    assert entries(FerPlus(excitation=name == "senet50")) == vectors.keys


def test_parity(vectors, name):
    network = FerPlus(excitation=name == "senet50").eval()
    network.load_state_dict(vectors.weights)
    resized = [Image.fromarray(frame).resize((256, 298), Image.Resampling.BILINEAR) for frame in vectors.frames]
    middles = np.stack(resized)[:, 37 : 37 + 224, 16 : 16 + 224]
    mean = np.array([131.0912, 103.8827, 91.4953])
    values = (middles - mean).transpose(0, 3, 1, 2).astype(np.float32)
    vectors.assert_input(values)
    with torch.inference_mode():
        vectors.assert_output(network(torch.from_numpy(values)).numpy(), "embedding_conv5_3_3x3_relu")


def test_excitation_by_hand():
    network = FerPlus(excitation=True, width=8).eval()
    down, up = network.conv2_1_1x1_down, network.conv2_1_1x1_up
    torch.nn.init.ones_(down.weight)
    torch.nn.init.zeros_(down.bias)
    up.weight.data[:] = torch.linspace(0, 1, 32).view(32, 1, 1, 1)
    torch.nn.init.zeros_(up.bias)
    values = torch.zeros(1, 32, 2, 2)
    values[0, 0] = torch.tensor([[1.0, 2.0], [3.0, 2.0]])  # mean 2, the other channels 0; two narrow channels add up
    weights = network._weights("conv2_1", values).flatten()
    torch.testing.assert_close(weights, torch.sigmoid(4 * torch.linspace(0, 1, 32)))
