"""Fixtures that several networks' tests share."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from toolkit.models.dropout import Dropout
from toolkit.models.network import Features, Network, NetworkOutput, Sequences

OURS = {"audios": "audio", "texts": "text", "videos": "visual"}  # the reference's names of inputs, and ours
THEIRS = ("audio_encoder", "text_encoder", "video_encoder")  # in the order of ours
HEADS = {"fc_out_1": "emotion_head", "fc_out_2": "valence_head"}


@pytest.fixture
def features() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(5, dim, generator=generator) for key, dim in (("audio", 4), ("text", 3), ("visual", 6))}


@pytest.fixture(scope="session")
def entries() -> Callable[[torch.nn.Module], dict[str, tuple[tuple[int, ...], str]]]:
    """Returns shape and number type of every entry of a network's state dictionary."""

    def read(network: torch.nn.Module) -> dict[str, tuple[tuple[int, ...], str]]:
        state = network.state_dict()
        return {name: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for name, value in state.items()}

    return read


class FusionCase:
    """Weights, inputs, outputs and gradients of a fusion network of MERTools, ``fusion_NAME_CASE``.

    Attributes:
        arguments: what the reference was built with
        frames: whether it read sequences
        inputs: feature dimensions by our names
    """

    def __init__(self, path: Path) -> None:
        from safetensors.torch import load_file

        self.name, self.tensors = path.stem, load_file(path)
        facts = json.loads(path.with_suffix(".json").read_text())
        self.arguments, self.parameters = facts["constructor_args"], facts["total_parameters"]
        self.frames = self.arguments["feat_type"] != "utt"
        self.inputs = {key: values.shape[-1] for key, values in self._values().items()}

    def part(self, name: str) -> dict[str, Tensor]:
        """Returns the tensors below ``name/``."""
        return {key.partition("/")[2]: value for key, value in self.tensors.items() if key.startswith(f"{name}/")}

    def features(self) -> Features:
        """Returns the inputs by our names."""
        values = self._values()
        if not self.frames:
            return values
        return {key: Sequences(part, torch.full(part.shape[:1], part.shape[1])) for key, part in values.items()}

    def shared(self, theirs: Mapping[str, Tensor], encoders: tuple[str, ...] = THEIRS) -> dict[str, Tensor]:
        """Returns encoders and heads by our names, for weights and gradients alike."""
        ours = {}
        for key, tensor in theirs.items():
            module, _, rest = key.partition(".")
            if module in HEADS:
                ours[f"{HEADS[module]}.{rest}"] = tensor
            elif module in encoders:
                ours[f"encoders.{encoders.index(module)}.{self.layer(rest, frames=self.frames)}"] = tensor
        return ours

    @staticmethod
    def layer(key: str, *, frames: bool = False) -> str:
        """Returns our name of a weight of an encoder."""
        one = "linear" if frames else lambda match: f"linear.{int(match[1]) - 1}"
        return re.sub(r"linear_(\d)", one, key)

    def check(self, network: Network, translate: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]) -> None:
        """Loads the weights and compares outputs, and gradients where there are any.

        Args:
            network: built as the reference was
            translate: makes our state dictionary of theirs; permutes at most, so that it serves gradients as well
        """
        network.load_state_dict(translate(self.part("weights")))
        assert sum(weight.numel() for weight in network.parameters()) == self.parameters
        self._compare(network.eval()(self.features()), "outputs")
        if not (expected := translate(self.part("grads"))):
            return
        for module in network.modules():
            if isinstance(module, Dropout):
                module.probability = 0.0
        output = network.train()(self.features())
        loss = output.emotion_logits.square().mean() + output.valence.square().mean() + output.auxiliary_loss
        torch.testing.assert_close(loss, self.tensors["outputs/loss"], rtol=1e-4, atol=1e-5)
        loss.backward()
        for key, weight in network.named_parameters():
            self._close(weight.grad, expected[key], f"gradient of {key}", rtol=1e-3)

    def _values(self) -> dict[str, Tensor]:
        named = self.part("inputs").items()
        values = {OURS.get(key) or f"feat{int(key.removeprefix('feat')):02}": value for key, value in named}
        return dict(sorted(values.items()))

    def _compare(self, output: NetworkOutput, part: str) -> None:
        expected = self.part(part)
        self._close(output.features, expected["features"], "features")
        self._close(output.emotion_logits, expected["emos_out"], "emotion logits")
        self._close(output.valence, expected["vals_out"][:, 0], "valence")
        self._close(output.auxiliary_loss, expected["interloss"], "auxiliary loss")

    def _close(self, ours: Tensor, theirs: Tensor, what: str, *, rtol: float = 1e-4) -> None:
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=1e-5, msg=lambda text: f"{self.name}, {what}: {text}")


@pytest.fixture(scope="session")
def fusion_cases(parity: Path) -> Callable[[str], list[FusionCase]]:
    """Reads all vectors of a fusion network by its name, ``fusion_cases("lmf")``."""

    def read(name: str) -> list[FusionCase]:
        paths = sorted(parity.glob(f"fusion_{name}_[a-z]_*.safetensors"))
        assert paths, f"no vectors fusion_{name}_*"
        return [FusionCase(path) for path in paths]

    return read
