"""References: what a user may write for an encoder, and the spec it means."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feature_extraction.catalogue import spec_of_checkpoint
from feature_extraction.encoder import all_specs, encoders, get_spec
from feature_extraction.hub import commit, fingerprint, model_type
from feature_extraction.spec import EncoderSpec, Modality
from feature_extraction.variant import vary
from toolkit.errors import UserError, did_you_mean


def find_spec(reference: str, modality: Modality) -> EncoderSpec:
    """Returns the spec of a reference.

    Args:
        reference: a name in ``list``; ``hf:ORG/NAME``, ``hf:ORG/NAME#REVISION`` or ``hf:FOLDER`` for any model of the
            families; ``FAMILY:FILE`` for a checkpoint of a family that takes files (``from_file``); each with variants
            after an ``@``, parted by ``+``, see `feature_extraction.variant.vary`
        modality: what it is for

    Raises:
        UserError: there is no such encoder, or no family runs the model

    Examples:
        >>> find_spec("char-hash@column-english", "text").column
        'english'
    """
    known = all_specs(modality)
    if reference in known:
        return known[reference]
    if reference.startswith("hf:"):
        name, variants = _split_place(reference.removeprefix("hf:"))
        return vary(_checkpoint(name, modality), variants)
    family, colon, place = reference.partition(":")
    if colon and family in encoders.names() and encoders.get(family).from_file is not None:
        name, variants = _split_place(place)
        return vary(_file(family, Path(name).expanduser(), modality), variants)
    name, at, after = reference.partition("@")
    variants = after.split("+") if at else []
    if variants and f"{name}@{variants[0]}" in known:  # @mertools is a spec, not a variant
        name = f"{name}@{variants.pop(0)}"
    return vary(get_spec(name, modality), variants)


def spec_again(name: str, modality: Modality, recorded: Mapping[str, Any]) -> EncoderSpec:
    """Returns the spec of the encoder that made a cache, as it is here and now: its identity may be another.

    Args:
        name: of the encoder
        modality: what it is for
        recorded: the spec that stands in the cache

    Raises:
        UserError: there is no such encoder here, or its checkpoint is gone
    """
    kind, _, place = str(recorded.get("checkpoint", "")).partition(":")
    if kind == "file":
        base = _file(recorded["family"], Path(place), modality)
    elif kind == "hf" and name.partition("@")[0] not in all_specs(modality):
        base = _checkpoint(place if Path(place).is_absolute() else f"{place}#{recorded['revision']}", modality)
    else:
        return find_spec(name, modality)
    variants = name.removeprefix(base.name)[1:]
    return vary(base, variants.split("+")) if variants else base


def _split_place(text: str) -> tuple[str, list[str]]:
    """Parts the variants from a model's name; that of a folder or a file may hold an ``@`` itself."""
    name, _, after = text.rpartition("@")
    if not name or Path(text).expanduser().exists():
        return text, []
    return name, after.split("+")


def _checkpoint(name: str, modality: Modality) -> EncoderSpec:
    """Returns the spec of any model on the hub or in a folder, run by the family that knows its type."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        short, revision = folder.resolve().name, fingerprint(folder)
        kind = model_type(str(folder), None)
    elif name.startswith((".", "/", "~")):  # no name on the hub does
        raise UserError(f"There is no folder {name}. Expected hf:FOLDER or hf:ORG/NAME.")
    else:
        name, _, revision = name.partition("#")
        short = name.replace("/", "--")
        kind, revision = model_type(name, revision or "main"), commit(name, revision or "main")
    families = {key: family for family in encoders.names() for key in encoders.get(family).hub}
    suited = {key: family for key, family in families.items() if encoders.get(family).specs[0].modality == modality}
    if kind not in suited and "*" in suited and kind not in families:
        kind = "*"
    if kind not in suited:
        hint = f"The {encoders.get(families[kind]).specs[0].modality} command runs it. " if kind in families else ""
        raise UserError(
            f"{name} is a model of type '{kind}', which no {modality} family runs. {hint}{did_you_mean(kind, suited)}"
        )
    settings = encoders.get(suited[kind]).hub[kind]
    checkpoint = f"hf:{folder.resolve() if folder.is_dir() else name}"
    return spec_of_checkpoint(modality, suited[kind], settings, name=short, checkpoint=checkpoint, revision=revision)


def _file(family: str, path: Path, modality: Modality) -> EncoderSpec:
    """Returns the spec of a checkpoint file; trainers call their files alike, so two folders are part of the name."""
    kind = encoders.get(family)
    suited = kind.specs[0].modality
    if suited != modality:
        raise UserError(f"'{family}' is no {modality} family. The {suited} command runs it.")
    if not path.is_file():
        raise UserError(f"There is no checkpoint {path}. Expected {family}:FILE, with a file of weights.")
    path = path.resolve()
    name = f"{family}--{'-'.join([*path.parts[1:-1][-2:], path.stem])}"
    return spec_of_checkpoint(
        modality, family, kind.from_file, name=name, checkpoint=f"file:{path}", revision=fingerprint(path)
    )
