"""What the shapes of a checkpoint's tensors say of the network that they are of."""

import re
from collections.abc import Mapping

from torch import Tensor

from toolkit.errors import UserError
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize

HEAD_WIDTH = 64  # of all published models; heads are not stored


def needed(state: Mapping[str, Tensor], name: str, family: str) -> Tensor:
    """Returns a tensor that every network of a family has.

    Raises:
        UserError: it is not there; the message names it
    """
    if name not in state:
        raise UserError(
            f"These weights are not of the family '{family}': there is no '{name}' among them. Choose the family that "
            "the checkpoint is of."
        )
    return state[name]


def depth(state: Mapping[str, Tensor], prefix: str = "") -> int:
    """Returns the number of blocks, ``PREFIXblocks.0.`` being the first."""
    found = (re.match(re.escape(prefix) + r"blocks\.(\d+)\.", name) for name in state)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def heads(dim: int) -> int:
    """Returns the number of attention heads of a width; one where it is narrower than a head."""
    return max(1, dim // HEAD_WIDTH)


def clip_shape(tokenizer: Tensor) -> ClipShape:
    """Returns the shape of clips from the weight of their tokenizer; the size and number of pictures it doesn't say."""
    _, channels, tubelet, patch, _ = tokenizer.shape
    return ClipShape(patch=patch, tubelet=tubelet, channels=channels)


def decoder_size(state: Mapping[str, Tensor], prefix: str = "decoder.") -> DecoderSize:
    """Returns the size of a decoder; that of the base models if there is none."""
    norm = state.get(f"{prefix}norm.weight")
    return DecoderSize() if norm is None else DecoderSize(len(norm), depth(state, prefix), heads(len(norm)))
