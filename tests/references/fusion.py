"""The thirteen fusion networks of MERTools (MER2024) beside ours.

Each has a file of its own in this folder, of the network's name, with

- ``ORDER``: their names of the inputs, in the order in which theirs puts them side by side. Ours sorts its modalities,
  so they are called ``00-texts``, ``01-audios`` and so on here, and no weight has to change places;
- ``options(arguments)``: the options of ours, from the arguments of theirs;
- ``translate(theirs, arguments)``: their weights, or their gradients, by our names;
- ``prepare(values)``, if it is to be fed with something else than what theirs was fed with;
- ``run(network, case)``, if ours differs on purpose: what our network gives if it is made to do as theirs does.
"""

import importlib
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from references.vectors import ABSOLUTE, RELATIVE, Difference, Vectors, difference, gradient_difference
from toolkit.models.network import Features, Network, NetworkOutput, Sequences, build_network

OUTPUTS = {"features": "features", "emotion_logits": "emos_out", "valence": "vals_out", "auxiliary_loss": "interloss"}
# Absolute and relative: the sidecars' and the README's, both of which are kept to.
GRADIENT_TOLERANCES = ((1e-5, 1e-3), (ABSOLUTE, RELATIVE))


class FusionCase:
    """One vector file of a fusion network, and our network with its weights.

    Args:
        path: of the vector file

    Attributes:
        vectors: what it holds
        arguments: what the reference was built with
        reference: the file of this folder that knows the network
    """

    def __init__(self, path: Path) -> None:
        self.vectors = Vectors.read(path)
        self.arguments = self.vectors.facts["constructor_args"]
        self.reference: ModuleType = importlib.import_module(f"references.{self.arguments['model']}")

    @property
    def features(self) -> Features:
        """What theirs was fed with, by our names."""
        inputs, prepare = self.vectors.group("inputs"), getattr(self.reference, "prepare", dict)
        order = enumerate(self.reference.ORDER)
        values = prepare({f"{number:02}-{name}": inputs[name] for number, name in order if name in inputs})
        if self.arguments["feat_type"] == "utt":
            return values
        return {key: Sequences(part, torch.full(part.shape[:1], part.shape[1])) for key, part in values.items()}

    @property
    def gradients(self) -> dict[str, Tensor]:
        """Their gradients by our names; none in most cases."""
        theirs = self.vectors.group("grads", "grads_unregistered")
        return self.reference.translate(theirs, self.arguments) if theirs else {}

    def build(self, **options: float) -> Network:
        """Returns our network with their weights.

        Args:
            options: in place of the case's own
        """
        given = {key: part.values if isinstance(part, Sequences) else part for key, part in self.features.items()}
        inputs = {key: values.shape[-1] for key, values in given.items()}
        settings = {"dropout": self.arguments["dropout"], **self.reference.options(self.arguments), **options}
        network = build_network(self.arguments["model"], inputs, self.arguments["output_dim1"], **settings)
        theirs = self.vectors.group("weights", "unregistered")
        network.load_state_dict(self.reference.translate(theirs, self.arguments))
        return network.eval()

    def run(self, network: Network) -> NetworkOutput:
        """Returns what our network gives for what theirs was fed with."""
        as_theirs = getattr(self.reference, "run", None)
        return as_theirs(network, self) if as_theirs else network(self.features)

    def differences(self) -> list[Difference]:
        """Returns how far our outputs and gradients are from theirs."""
        found = self._outputs(self.run(self.build()), "outputs")
        network = self.build(dropout=0.0).train()
        output = self.run(network)
        if self.vectors.group("outputs_train"):
            found += self._outputs(output, "outputs_train", " in training")
        if self.gradients:
            loss = output.emotion_logits.square().mean() + output.valence.square().mean() + output.auxiliary_loss
            found.append(self._difference("loss", loss, self.vectors.tensors["outputs/loss"], "interloss"))
            loss.backward()
            found.append(gradient_difference(network, self.gradients, *GRADIENT_TOLERANCES))
        return found

    def _outputs(self, output: NetworkOutput, group: str, when: str = "") -> list[Difference]:
        theirs = self.vectors.group(group)
        theirs["vals_out"] = theirs["vals_out"][:, 0]
        pairs = [(name, getattr(output, name), theirs[other], other) for name, other in OUTPUTS.items()]
        return [self._difference(name + when, ours, value, other) for name, ours, value, other in pairs]

    def _difference(self, output: str, ours: Tensor, theirs: Tensor, tolerance: str) -> Difference:
        """``tolerance``: under which of their outputs the sidecar has it."""
        named = self.vectors.facts["suggested_tolerance"]
        absolute, relative = min(named["atol"][tolerance], ABSOLUTE), min(named["rtol"], RELATIVE)
        return difference(output, ours, theirs, absolute, relative)


def differences(path: Path) -> list[Difference]:
    """Returns how far our outputs and gradients are from those of one vector file."""
    return FusionCase(path).differences()
