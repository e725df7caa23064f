"""A vector file of ``../shared/parity`` with its sidecar, and numbers beside those it holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file
from torch import Tensor, nn

ABSOLUTE = RELATIVE = 1e-4  # the README of the vectors, where a sidecar names no tolerance


class Difference(NamedTuple):
    """How far ours is from theirs, at the number that uses up most of its tolerance.

    Attributes:
        output: what was compared
        largest: absolute difference; infinite where ours is NaN or has another shape
        tolerance: what it may be
    """

    output: str
    largest: float
    tolerance: float

    @property
    def share(self) -> float:
        """How much of the tolerance is used up; more than 1 is too much."""
        return self.largest / self.tolerance


def difference(
    output: str, ours: Tensor, theirs: Tensor, absolute: float = ABSOLUTE, relative: float = RELATIVE
) -> Difference:
    """Returns the difference at the number that uses up most of ``absolute + relative * |theirs|``."""
    if ours.shape != theirs.shape:
        return Difference(f"{output}, {tuple(ours.shape)} for {tuple(theirs.shape)}", float("inf"), absolute)
    ours, theirs = ours.detach().double().flatten(), theirs.double().flatten()
    differences = (ours - theirs).abs().nan_to_num(nan=float("inf"))
    allowed = absolute + relative * theirs.abs()
    worst = (differences / allowed).argmax()
    return Difference(output, differences[worst].item(), allowed[worst].item())


def gradient_difference(
    network: nn.Module, theirs: Mapping[str, Tensor], *tolerances: tuple[float, float]
) -> Difference:
    """Returns the gradient that uses up most of its tolerance.

    Args:
        network: ours, after ``backward``
        theirs: the gradients, by our names
        tolerances: absolute and relative ones, all of which are to be kept to
    """
    ours = {key: weight.grad for key, weight in network.named_parameters() if weight.grad is not None}
    if odd := ours.keys() ^ theirs.keys():
        return Difference(f"gradients of one side only: {', '.join(sorted(odd))}", float("inf"), ABSOLUTE)
    found = [difference(key, ours[key], theirs[key], *tolerance) for key in ours for tolerance in tolerances]
    worst = max(found, key=lambda one: one.share)
    return worst._replace(output=f"{len(ours)} gradients, {worst.output}")


class Vectors(NamedTuple):
    """What a vector file and its sidecar hold.

    Attributes:
        facts: the sidecar
        tensors: by name, such as ``outputs/features``
    """

    facts: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def read(cls, path: Path) -> "Vectors":
        """Reads a safetensors file and the JSON file of the same name beside it, given either."""
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return cls(facts, load_file(path.with_suffix(".safetensors")))

    def group(self, *prefixes: str) -> dict[str, Tensor]:
        """Returns the tensors under any of ``prefixes``, without them."""
        return {
            name.removeprefix(f"{prefix}/"): tensor
            for prefix in prefixes
            for name, tensor in self.tensors.items()
            if name.startswith(f"{prefix}/")
        }


HEADS = {"fc_out_1": "emotion_head", "fc_out_2": "valence_head"}  # theirs and ours, of every fusion network


def renamed(theirs: Mapping[str, Tensor], parts: Mapping[str, str]) -> dict[str, Tensor]:
    """Returns tensors by our names, ``parts`` being our name of each part by theirs.

    Raises:
        KeyError: a tensor is of none of the parts
    """
    ours = {}
    for name, tensor in theirs.items():
        part, _, weight = name.rpartition(".")
        ours[f"{parts[part]}.{weight}"] = tensor
    return ours
