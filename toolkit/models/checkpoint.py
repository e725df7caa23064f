"""Checkpoints of masked autoencoders: a network from a released file as it is."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from torch import Tensor, nn

from toolkit.errors import UserError, did_you_mean
from toolkit.models.checkpoint_file import CheckpointFile, read_checkpoint, require_same
from toolkit.models.checkpoint_options import DEPARTING, told_options, told_shares
from toolkit.models.checkpoint_size import completed
from toolkit.models.masked_autoencoder import Family, FineTuning, Pretraining, autoencoders

Form = Literal["pretraining", "fine-tuning"]
Names = tuple[str, ...]
Network = TypeVar("Network", bound=nn.Module)

OF_PRETRAINING = ("decoder", "encoder_to_decoder", "mask_token", "norm.")  # what fine-tuning has no use for
OF_FINE_TUNING = ("fc_norm.", "head.", "video_layer_weights", "audio_layer_weights")  # what pretraining does not learn
HEAD = "head."
UNLIKE = (ValueError, IndexError, TypeError)  # what comes of tensors with another number of dimensions
COMMON_GROUND = "videomae"  # its blocks are the first ones of other families, too


class CheckpointReport(NamedTuple):
    """What became of a checkpoint; as text it is one line.

    Attributes:
        path: the file
        family: of masked autoencoders
        form: that the file is of
        loaded: names of tensors that were put into the network
        left_out: names of tensors of the file for which it has no use
        new: names of its tensors that the file does not have
        told: what the file's command line said of the network
        assumed: what nothing said of it, taken as published
    """

    path: Path
    family: str
    form: Form
    loaded: Names
    left_out: Names
    new: Names
    told: Mapping[str, Any]
    assumed: Mapping[str, Any]

    def __str__(self) -> str:
        """Returns, for instance, ``net.pth: svfap after pretraining, 379 tensors loaded, 4 new (fc_norm, head)``."""
        counts = [f"{self.path.name}: {self.family} after {self.form}, {len(self.loaded)} tensors loaded"]
        for what, names in (("left out", self.left_out), ("new", self.new)):
            parts = sorted({name.partition(".")[0] for name in names})
            counts += [f"{len(names)} {what} ({', '.join(parts)})"] * bool(names)
        lines = [", ".join(counts)]
        for whence, fields in (("from its command line", self.told), ("not stored, taken as published", self.assumed)):
            values = ", ".join(f"{name} {value}" for name, value in fields.items())
            lines += [f"{whence}: {values}"] * bool(values)
        departing = ", ".join(f"{name}='release'" for name in DEPARTING if name in self.assumed)
        if departing and self.form == "pretraining":
            lines.append(f"to go on with what the authors' code has trained, load it with {departing}")
        return "; ".join(lines)


class Loaded(NamedTuple):
    """A network with a checkpoint's weights.

    Attributes:
        network: of the form asked for
        size: of the network
        report: what became of the checkpoint
    """

    network: Pretraining | FineTuning
    size: Any
    report: CheckpointReport


def load_checkpoint(
    path: Path | str,
    *,
    form: Form | None = None,
    outputs: int | None = None,
    family: str | None = None,
    known: Mapping[str, Any] | None = None,
    **options: Any,
) -> Loaded:
    """Returns the network of a checkpoint with its weights; nothing in the file is run.

    The family and the size are known from names and shapes. What these do not say is taken from the command line that
    the authors' trainers and this project's keep beside the weights, and where that is silent from the published sizes;
    the report says which. A network for fine-tuning takes from pretraining what it can use, and begins the rest anew.

    In pretraining the authors' code departs from what they published: what it has trained is gone on with as it was
    begun only with ``order="release"`` (MAE-DFER), and with ``context="release", upsample="release"`` (SVFAP), if the
    authors ran the code that they released. Their files do not say; those of ``python -m baseline pretrain`` do.

    Args:
        path: a released file as it is: safetensors, or written by ``torch.save``, see `read_checkpoint`
        form: of the network; that of the file if None
        outputs: of a fine-tuning network; as many as in the file if None, and none if it has no last layer. A last
            layer of another shape is left out and begun anew
        family: name of the family, if it is not to be guessed
        known: fields of the family's size by dotted names, ``{"heads": 4, "shape.size": 112}``, that go before all else
        options: further ones of the network, such as ``drop_path``

    Raises:
        UserError: the file cannot be read, is of no known family, or does not fit; the message names the first
            difference
    """
    file = read_checkpoint(Path(path))
    name, kind = _family(file, family)
    stored: Form = "fine-tuning" if any(one.startswith(OF_FINE_TUNING) for one in file.weights) else "pretraining"
    is_pretraining = (form or stored) == "pretraining"
    if is_pretraining and stored == "fine-tuning":
        raise UserError(f"The checkpoint {path} is of fine-tuning and lacks the decoder that pretraining goes on with.")
    size = _size(file, name, kind)
    size, told, assumed = completed(size, file.arguments, known or {}, pretraining=is_pretraining)
    build = kind.pretraining if is_pretraining else kind.fine_tuning
    if is_pretraining or stored == "fine-tuning":
        more = told_options(build, file.arguments, options)
        told, assumed, options = told | more.told, assumed | more.assumed, more.told | options
    weights = file.weights if is_pretraining else kind.for_fine_tuning(file.weights)
    sizes = (size,) if is_pretraining else (size, _outputs(weights) if outputs is None else outputs)
    network = _built(file, build, *sizes, **options)
    told |= told_shares(network, file.arguments, options)
    left_out, new = _differing(weights, network, stored)
    loaded = _fill(network, weights, left_out, new, file.path)
    return Loaded(network, size, CheckpointReport(file.path, name, stored, loaded, left_out, new, told, assumed))


def _family(file: CheckpointFile, name: str | None) -> tuple[str, type[Family]]:
    """Returns the name and family of a file's weights, that of the name given if there is one."""
    if name is not None:
        return name, autoencoders.get(name)
    fitting = [name for name in autoencoders.names() if _is_of(file.weights, autoencoders.get(name))]
    if len(fitting) > 1:
        fitting = [name for name in fitting if name != COMMON_GROUND]
    if len(fitting) != 1:
        first = ", ".join(f"'{name}' {tuple(tensor.shape)}" for name, tensor in list(file.weights.items())[:3])
        known = ", ".join(autoencoders.names())
        raise UserError(f"The checkpoint {file.path} is of none of {known}. It begins with {first or 'nothing'}.")
    return fitting[0], autoencoders.get(fitting[0])


def _is_of(weights: Mapping[str, Tensor], kind: type[Family]) -> bool:
    try:
        kind.size_of(weights)
    except (UserError, *UNLIKE):
        return False
    return True


def _size(file: CheckpointFile, name: str, kind: type[Family]) -> Any:
    """Returns the size of the network that a file is of; an error names the file."""
    try:
        return kind.size_of(file.weights)
    except UserError as error:
        raise UserError(f"The checkpoint {file.path}: {error}") from error
    except UNLIKE as error:
        raise UserError(
            f"The checkpoint {file.path} has tensors of other numbers of dimensions than the family '{name}' "
            f"({error}). Choose the family that it is of."
        ) from error


def _built(file: CheckpointFile, build: Callable[..., Network], *arguments: Any, **options: Any) -> Network:
    """Returns a new network; what does not fit together is a mistake of whoever said what the file does not say."""
    known = set(inspect.signature(build).parameters) - {"size", "outputs"}
    for option in options.keys() - known:
        raise UserError(f"'{option}' is no option of {build.__name__}. {did_you_mean(option, known)}")
    try:
        return build(*arguments, **options)
    except (ValueError, ZeroDivisionError) as error:
        raise UserError(
            f"The checkpoint {file.path} makes no network: {error}. Say what it does not: known={{FIELD: VALUE}}."
        ) from error


def _outputs(weights: Mapping[str, Tensor]) -> int:
    head = weights.get("head.weight")
    return 0 if head is None else len(head)


def _differing(weights: Mapping[str, Tensor], network: nn.Module, stored: Form) -> tuple[Names, Names]:
    """Returns the names of tensors that may be left out and of those that may be new, all others are to be equal."""
    if isinstance(network, Pretraining):
        return (), ()
    wanted = network.state_dict()
    may_miss, may_have = (OF_FINE_TUNING, OF_PRETRAINING) if stored == "pretraining" else ((), ())
    left_out = {name for name in weights.keys() - wanted.keys() if name.startswith(may_have)}
    new = {name for name in wanted.keys() - weights.keys() if name.startswith(may_miss)}
    heads = [{name: tensor.shape for name, tensor in one.items() if name.startswith(HEAD)} for one in (weights, wanted)]
    if heads[0] != heads[1]:
        left_out, new = left_out.union(heads[0]), new.union(heads[1])
    return tuple(sorted(left_out)), tuple(sorted(new))


def _fill(network: nn.Module, weights: Mapping[str, Tensor], left_out: Names, new: Names, path: Path) -> Names:
    """Puts all weights but those left out into a network, of which all but those that are new are to be there."""
    kept = {name: tensor for name, tensor in weights.items() if name not in left_out}
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name not in new}
    require_same(wanted, kept, path)
    network.load_state_dict(kept, strict=False)
    return tuple(kept)
