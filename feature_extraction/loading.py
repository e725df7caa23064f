"""Loading networks of transformers: whole, or not at all."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from feature_extraction.checkpoint import pretrained
from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch


def load_whole(
    load: Callable[..., Any],
    spec: EncoderSpec,
    trusted: Collection[str] = (),
    *,
    unused: tuple[str, ...] = (),
    advice: str = "It is incomplete, or of another network.",
    **options: Any,
) -> "torch.nn.Module":
    """Returns a pretrained network in float32; transformers would draw what a checkpoint lacks at random.

    Args:
        load: ``from_pretrained`` of a class of transformers
        spec: a spec with an ``hf:`` checkpoint
        trusted: checkpoints whose own code may run, by name
        unused: starts of the names of weights that nothing is computed with, so that they may be absent
        advice: a sentence for a user whose checkpoint lacks weights
        options: further arguments of ``load``

    Raises:
        UserError: the checkpoint is not to be had, lacks weights, or has them in other shapes than it says itself
    """
    import torch

    options |= {"dtype": torch.float32, "output_loading_info": True, "ignore_mismatched_sizes": True}
    network, report = pretrained(load, spec, trusted, **options)
    refuse_other_shapes(report, spec)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(unused))
    if missing:
        raise UserError(
            f"'{spec.name}': the checkpoint {spec.checkpoint} lacks '{missing[0]}'"
            + (f" and {len(missing) - 1} more" if missing[1:] else "")
            + f", which would be random. {advice}"
        )
    return network


def refuse_other_shapes(report: Mapping[str, Any], spec: EncoderSpec) -> None:
    """Checks that weights have the shapes that the checkpoint's own configuration says.

    Args:
        report: what ``from_pretrained`` found, with ``output_loading_info`` and ``ignore_mismatched_sizes``
        spec: what was loaded

    Raises:
        UserError: one has another; transformers would draw it at random
    """
    for name, found, expected in sorted(report["mismatched_keys"]):
        raise UserError(
            f"'{spec.name}': the checkpoint {spec.checkpoint} has '{name}' of shape {tuple(found)}, but its "
            f"config.json says {tuple(expected)}: they do not belong together."
        )
