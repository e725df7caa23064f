import numpy as np
import pytest
import torch
from PIL import Image

from toolkit.models.resnet18 import ResNet18


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("msceleb_resnet18")


def test_keys(vectors, entries):
    assert entries(ResNet18()) == vectors.keys


def test_parity(vectors):
    network = ResNet18().eval()
    network.load_state_dict(vectors.weights)
    squares = [Image.fromarray(frame).resize((224, 224), Image.Resampling.BILINEAR) for frame in vectors.frames]
    pixels = np.stack(squares).transpose(0, 3, 1, 2) / 255
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    values = ((pixels - mean[:, None, None]) / deviation[:, None, None]).astype(np.float32)
    vectors.assert_input(values)
    with torch.inference_mode():
        features = network(torch.from_numpy(values))
        vectors.assert_output(features.numpy())
        vectors.assert_output(network.fc(features).numpy(), "fc_logits")


def test_width_and_classes(entries):
    sizes = entries(ResNet18(width=8, classes=5))
    assert sizes["layer4.1.conv2.weight"] == ((64, 64, 3, 3), "float32")
    assert sizes["fc.weight"] == ((5, 64), "float32")
