"""A finished run as one ONNX file: raw features in, probabilities and valence out, all networks averaged."""

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from baseline import run_directory as files
from baseline.dataset import Inputs
from baseline.fold_models import FoldEnsemble, mean_of_some
from baseline.task import activate
from toolkit.errors import UserError
from toolkit.models.stack import Stack
from toolkit.seeds import generator_for
from toolkit.whole_file import whole_file

PACKAGES = ("onnx", "onnxruntime", "onnxscript")  # of the extra
TOLERANCE = 1e-5  # between the graph and the networks; relative where a valence is over one
LARGEST = 2**31 - 2**24  # bytes of weights: a protobuf ends at 2 GiB, and the graph needs some
SIZES = (1, 2, 7, 600)  # clips of the batches that are compared


class Deployed(nn.Module):
    """What `FoldEnsemble.predict` does, as one graph, from features as they are in the caches.

    Args:
        ensemble: on the CPU, of networks that stack
    """

    def __init__(self, ensemble: FoldEnsemble) -> None:
        super().__init__()
        self.ensemble = ensemble
        self.stack = Stack([deepcopy(model.network) for model in ensemble.models])
        standards = [model.standard for model in ensemble.models]
        self.mean, self.deviation = (
            {key: torch.stack([part[key] for part in parts])[:, None] for key in ensemble.features}  # (models, 1, dim)
            for parts in ([standard.mean for standard in standards], [standard.deviation for standard in standards])
        )
        valence = torch.stack([standard.valence for standard in standards])  # (models, 2)
        self.rated = valence.isfinite().all(1).nonzero()[:, 0].tolist()  # numbers of the models that learnt valence
        self.usual = torch.stack([standard.usual_valence for standard in standards]).nanmean()  # ()
        self.valence = valence[self.rated].mT[..., None]  # (2, rated, 1), mean and deviation
        self.prior = torch.stack([model.prior for model in ensemble.models]).mean(0)  # (labels,)
        self.eval()

    def forward(self, values: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Returns the `outputs`: probabilities ``(clips, labels)``, valence ``(clips,)``.

        Args:
            values: ``(clips, dim)`` float32 by feature, finite also where a clip lacks one
            present: ``(clips,)`` boolean by feature
        """
        limit, scaled, known = self.ensemble.models[0].standard.limit, {}, {}
        for key, mean in self.mean.items():
            known[key] = present[key] & self.deviation[key].isfinite().all(2)  # (models, clips)
            numbers = ((values[key] - mean) / self.deviation[key]).clamp(-limit, limit)
            scaled[key] = torch.where(known[key][..., None], numbers, 0)
        output = self.stack(scaled, known)
        knows = torch.stack(list(known.values())).any(0)  # (models, clips)
        probabilities = self._probabilities(output.emotion_logits, knows)
        probabilities = torch.where(knows.any(0)[:, None], probabilities, self.prior)
        if not self.rated:
            return (probabilities,)
        mean, deviation = self.valence  # (rated, 1) each
        rates = knows[self.rated]  # (rated, clips)
        valence = mean_of_some(output.valence[self.rated] * deviation + mean, rates).clamp(*self.ensemble.valence_range)
        valence = torch.where(rates.any(0), valence, self.usual)
        return (probabilities, valence) if self.ensemble.labels else (valence,)

    @property
    def outputs(self) -> list[str]:
        """Names of what comes out: ``probabilities`` where there are labels, ``valence`` where a network learnt it."""
        return ["probabilities"] * bool(self.ensemble.labels) + ["valence"] * bool(self.rated)

    def _probabilities(self, logits: Tensor, knows: Tensor) -> Tensor:
        """Returns ``(clips, labels)`` of ``(models, clips, outputs)`` and the models that count for each clip."""
        logits = logits[..., : len(self.ensemble.labels)]
        if self.ensemble.mean_of == "logits":
            return activate(mean_of_some(logits, knows), self.ensemble.activation)
        return mean_of_some(activate(logits, self.ensemble.activation), knows)


def export_run(folder: Path, path: Path) -> float:
    """Writes the networks of a run as ONNX, if the file gives what they give.

    Inputs are ``FEATURE`` ``(clips, dim)`` float32 and ``FEATURE.present`` ``(clips,)`` boolean for every feature of
    the run, outputs ``probabilities`` ``(clips, labels)`` and ``valence`` ``(clips,)``, either of which is left out
    where it was not learnt. The file's metadata name the labels.

    Args:
        folder: ``RUNS/<track>/<name>``
        path: file to write, replaced where it exists

    Returns:
        the largest difference between the file and the networks

    Raises:
        UserError: no such run or folder, packages that are missing, a run that reads sequences, or a file that gives
            other numbers than the networks, which is then not written
    """
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to. Make it first.")
    _require_packages()
    ensemble = FoldEnsemble.load(folder / files.MODEL)
    network = ensemble.models[0].network
    if not network.stacks:
        raise UserError(f"{folder} reads sequences of frames. Expected a run on utterance features, for ONNX.")
    size = len(ensemble.models) * sum(weight.nbytes for weight in network.parameters())
    if size > LARGEST:
        raise UserError(
            f"The networks of {folder} have {size / 1e9:.1f} GB of weights; an ONNX file holds less than 2.1."
        )
    with whole_file(path) as target:
        _write(ensemble, target)
        difference = largest_difference(ensemble, target)
        if not difference <= TOLERANCE:
            raise UserError(
                f"The graph differs from the networks of {folder} by {difference:.1e}, expected at most "
                f"{TOLERANCE:.0e}: {path} is not written. Install the versions of constraints.txt."
            )
    return difference


def largest_difference(ensemble: FoldEnsemble, path: Path) -> float:
    """Returns by how much an ONNX file and the networks differ on random features, NaN where either is not a number.

    Args:
        ensemble: on the CPU
        path: file of `export_run`
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = []
    for inputs in _random_batches(ensemble):
        given = {key: values.numpy() for key, values in inputs.values.items()}
        given |= {f"{key}.present": mask.numpy() for key, mask in inputs.present.items()}
        prediction = ensemble.predict(inputs)._asdict()
        for output, ours in zip(session.get_outputs(), session.run(None, given), strict=True):
            theirs = prediction[output.name]
            differences.append((np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))).max())
    return float(np.max(differences))


def _require_packages() -> None:
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        raise UserError(
            f"ONNX needs {', '.join(absent)}, not installed here. Install the extra with "
            '`pip install -c constraints.txt -e ".[onnx]"`.'
        )


def _write(ensemble: FoldEnsemble, path: Path) -> None:
    """Writes the graph; the number of clips is left open."""
    inputs = next(_random_batches(ensemble, sizes=(3,)))  # of one, the number would be taken for a constant
    graph = Deployed(ensemble)
    keys, clips = list(inputs.values), {0: torch.export.Dim.AUTO}
    shapes = {"values": dict.fromkeys(keys, clips), "present": dict.fromkeys(keys, clips)}
    with _quiet():
        program = torch.onnx.export(
            graph,
            # By name: of a tuple that ends in a dictionary, the dictionary would be taken for the names.
            kwargs={"values": inputs.values, "present": inputs.present},
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=[*keys, *(f"{key}.present" for key in keys)],
            output_names=graph.outputs,
            verbose=False,
        )
    program.model.metadata_props.update(_metadata(ensemble))
    program.save(path, external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps from the user what the libraries say of their own work, and of names that they mean to change."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _metadata(ensemble: FoldEnsemble) -> dict[str, str]:
    facts = {"labels": ensemble.labels, "valence_range": ensemble.valence_range, "facts": ensemble.facts}
    facts |= {"features": ensemble.network["inputs"]}
    return {"activation": ensemble.activation} | {key: json.dumps(value) for key, value in facts.items()}


def _random_batches(ensemble: FoldEnsemble, sizes: Sequence[int] = SIZES) -> Iterator[Inputs]:
    """Yields batches around the mean of the training clips, in which clips have all features, some and none."""
    for size in sizes:
        for lacking in (0.0, 0.5, 1.0):
            generator = generator_for(0, "export", str(size), str(lacking))
            values, present = {}, {}
            for key in ensemble.features:
                mean, spread = (part[key].nan_to_num(posinf=1.0) for part in ensemble.models[0].standard[:2])
                noise = torch.from_numpy(generator.normal(scale=2, size=(size, len(mean))).astype(np.float32))
                values[key] = mean + spread * noise
                present[key] = torch.from_numpy(generator.random(size) >= lacking)
            yield Inputs(("",) * size, values, present)
