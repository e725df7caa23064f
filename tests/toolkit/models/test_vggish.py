"""VGGish as a torch network: the names of its tensors, and TensorFlow's variables turned into them."""

import json

import numpy as np
import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.vggish import Vggish, convert

WIDTH, HIDDEN, DIM = 2, 5, 3
CHANNELS = [1, WIDTH, 2 * WIDTH, 4 * WIDTH, 4 * WIDTH, 8 * WIDTH, 8 * WIDTH]
CONVOLUTIONS = ["conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2"]
POOLED = {"conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2"}
WIDTHS = [6 * 4 * 8 * WIDTH, HIDDEN, HIDDEN, DIM]
DENSE = ["fc1/fc1_1", "fc1/fc1_2", "fc2"]


@pytest.fixture
def variables() -> dict[str, np.ndarray]:
    """The variables of a small VGGish, as TensorFlow lays them out."""
    generator = np.random.default_rng(0)
    shapes = {name: (3, 3, *CHANNELS[k : k + 2]) for k, name in enumerate(CONVOLUTIONS)}
    shapes |= {name: (WIDTHS[k], WIDTHS[k + 1]) for k, name in enumerate(DENSE)}
    made = {}
    for name, shape in shapes.items():
        scale = 1.5 / np.sqrt(np.prod(shape[:-1]))
        made[f"vggish/{name}/weights"] = generator.normal(0, scale, shape).astype(np.float32)
        made[f"vggish/{name}/biases"] = generator.normal(0.2, 0.1, shape[-1]).astype(np.float32)
    return made


def reference(examples: np.ndarray, variables: dict[str, np.ndarray]) -> np.ndarray:
    """The TensorFlow graph, channels last, by hand."""
    maps = examples[..., None].astype(np.float64)
    for name in CONVOLUTIONS:
        weights, height, width = variables[f"vggish/{name}/weights"], *maps.shape[1:3]
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
        shifts = [(y, x) for y in range(3) for x in range(3)]
        maps = sum(padded[:, y : y + height, x : x + width] @ weights[y, x] for y, x in shifts)
        maps = np.maximum(0, maps + variables[f"vggish/{name}/biases"])
        if name in POOLED:
            maps = maps.reshape(len(maps), height // 2, 2, width // 2, 2, -1).max(axis=(2, 4))
    values = maps.reshape(len(maps), -1)
    for name in DENSE:
        values = np.maximum(0, values @ variables[f"vggish/{name}/weights"] + variables[f"vggish/{name}/biases"])
    return values


def test_converted_variables_give_the_numbers_of_the_tensorflow_graph(variables):
    network = Vggish(WIDTH, HIDDEN, DIM)
    network.load_state_dict(convert(variables))
    examples = np.random.default_rng(1).normal(-3, 2, (2, 96, 64)).astype(np.float32)
    expected = reference(examples, variables)
    assert (expected > 0.01).sum() >= 3, "a rectified zero would prove nothing"
    with torch.inference_mode():
        np.testing.assert_allclose(network(torch.from_numpy(examples)), expected, rtol=0, atol=1e-5)


def test_the_released_variables_fill_the_released_network(parity):
    shapes = json.loads((parity / "cnn_vggish_keys.json").read_text())
    with torch.device("meta"):
        network = Vggish()
    state = convert({name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()})
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }
    assert sum(value.numel() for value in network.parameters()) == 72141184


def test_names_are_those_of_the_common_port():
    names = {name.rpartition(".")[0] for name in Vggish(WIDTH, HIDDEN, DIM).state_dict()}
    assert sorted(names) == sorted(
        [*(f"features.{k}" for k in (0, 3, 6, 8, 11, 13)), *(f"embeddings.{k}" for k in (0, 2, 4))]
    )


def test_a_variable_that_lacks(variables):
    del variables["vggish/fc2/biases"]
    with pytest.raises(UserError, match="lack 'vggish/fc2/biases'"):
        convert(variables)


def test_other_variables_are_left_out(variables):
    assert convert(variables).keys() == convert(variables | {"global_step": np.array(7)}).keys()
