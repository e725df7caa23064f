"""Loading networks of transformers that hear: whole, or not at all."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from feature_extraction.checkpoint import pretrained
from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch


def load_whole(
    load: Callable[..., Any], spec: EncoderSpec, trusted: Collection[str] = (), *, unused: tuple[str, ...] = ()
) -> "torch.nn.Module":
    """Returns a pretrained network in float32; transformers would draw what a checkpoint lacks at random.

    Args:
        load: ``AutoModel.from_pretrained`` ...
        spec: a spec with an ``hf:`` checkpoint
        trusted: checkpoints whose own code may run, by name
        unused: starts of the names of weights that nothing is computed with, so that they may be absent

    Raises:
        UserError: the checkpoint is not to be had, or lacks weights
    """
    import torch

    network, report = pretrained(load, spec, trusted, dtype=torch.float32, output_loading_info=True)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(unused))
    if missing:
        raise UserError(
            f"The checkpoint of '{spec.name}' lacks '{missing[0]}', so what it gives would be random: it is "
            f"incomplete, or not of a {network.config.model_type} network."
        )
    return network
