"""What the tensors of a checkpoint do not say of the size of their network, and who says it instead."""

from collections.abc import Collection, Mapping
from functools import reduce
from typing import Any, NamedTuple

from toolkit.errors import UserError, did_you_mean
from toolkit.models.transformer.state import HEAD_WIDTH

# By field of a family's size: what the authors' trainers call it, of which some keep their command line with the
# weights. "NAME.0" is the first number of what is called NAME.
HINTS: Mapping[str, tuple[str, ...]] = {
    "shape.size": ("img_size", "input_size"),
    "shape.frames": ("all_frames", "num_frames"),
    "spectrogram.frames": ("img_size_audio.0",),
    "spectrogram.bands": ("img_size_audio.1",),
    "region": ("lg_region_size",),
    "depths": ("stage_depths",),
    "heads": ("encoder_num_heads", "num_heads"),
    "video.heads": ("encoder_num_heads", "num_heads"),
    "audio.heads": ("encoder_num_heads_audio", "num_heads_audio"),
    "fusion_heads": ("encoder_fusion_num_heads", "fusion_num_heads"),
    "taps": ("return_intermediate_features",),
    "decoder.heads": ("decoder_num_heads",),
    "video.decoder.heads": ("decoder_num_heads",),
    "audio.decoder.heads": ("decoder_num_heads_audio",),
}
PRETRAINING = ("taps", "decoder", "video.decoder", "audio.decoder")  # beginnings of what fine-tuning has no use for


class Completed(NamedTuple):
    """A size of which all is known, and whence.

    Attributes:
        size: of the family's kind
        told: fields that the checkpoint's command line gave
        assumed: fields that nothing gave, which are those of the published sizes
    """

    size: Any
    told: dict[str, Any]
    assumed: dict[str, Any]


def completed(size: Any, arguments: Mapping[str, Any], known: Mapping[str, Any], *, pretraining: bool) -> Completed:
    """Returns a size with the fields that tensors do not give.

    Args:
        size: what the tensors give, the rest as in the published sizes
        arguments: the command line that the weights were trained with
        known: fields by their dotted names, such as ``shape.size``, which go before all else
        pretraining: whether the fields matter that only pretraining has a use for

    Raises:
        UserError: a known field does not exist, or heads are not given and cannot be those of published sizes
    """
    told, assumed = {}, {}
    for field, names in HINTS.items():
        if field in known or not _has(size, field) or (field.startswith(PRETRAINING) and not pretraining):
            continue
        found = (_alike(_get(size, field), _argument(arguments, name)) for name in names)
        value = next((value for value in found if value is not None), None)
        if value is None:
            _check_heads(size, field)
            assumed[field] = _get(size, field)
        else:
            told[field], size = value, _replaced(size, field, value)
    for field, value in known.items():
        if not _has(size, field):
            raise UserError(f"'{field}' is no field of {type(size).__name__}. {did_you_mean(field, _fields(size))}")
        size = _replaced(size, field, value)
    return Completed(size, told, assumed)


def _argument(arguments: Mapping[str, Any], name: str) -> Any:
    name, _, index = name.partition(".")
    value = arguments.get(name)
    if not index:
        return value
    return value[int(index)] if isinstance(value, list | tuple) and len(value) > int(index) else None


def _alike(example: Any, value: Any) -> Any:
    """Returns a value of a command line as a field like the example would have it, None if it cannot."""
    if isinstance(example, tuple):
        is_numbers = isinstance(value, list | tuple) and all(type(number) is int for number in value)
        return tuple(value) if is_numbers else None
    return value if type(value) is int else None


def _check_heads(size: Any, field: str) -> None:
    """Raises an error if heads were guessed by their published width and the network's is not made of such ones."""
    parent, _, name = field.rpartition(".")
    if not name.endswith("heads"):
        return
    holder = _get(size, parent) if parent else size
    dim = holder.dim if _has(holder, "dim") else holder.video.dim
    if dim != HEAD_WIDTH * _get(size, field):
        raise UserError(
            f"The number of attention heads, '{field}', is not stored, and {dim} numbers do not make heads of "
            f"{HEAD_WIDTH} as in the published networks. Say how many they are: known={{'{field}': NUMBER}}."
        )


def _get(size: Any, field: str) -> Any:
    return reduce(getattr, field.split("."), size)


def _has(size: Any, field: str) -> bool:
    return field in _fields(size)


def _fields(size: Any, prefix: str = "") -> Collection[str]:
    """Returns the dotted names of all numbers in a size."""
    names = []
    for name, value in zip(size._fields, size, strict=True):
        nested = hasattr(value, "_fields")
        names += _fields(value, f"{prefix}{name}.") if nested else [f"{prefix}{name}"]
    return names


def _replaced(size: Any, field: str, value: Any) -> Any:
    name, _, rest = field.partition(".")
    return size._replace(**{name: _replaced(getattr(size, name), rest, value) if rest else value})
