"""What shapes say."""

import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.state import clip_shape, decoder_size, depth, heads, needed

STATE = {
    "blocks.0.norm1.weight": torch.zeros(8),
    "blocks.11.norm1.weight": torch.zeros(8),
    "decoder.blocks.0.norm1.weight": torch.zeros(192),
    "decoder.blocks.2.norm1.weight": torch.zeros(192),
    "decoder.norm.weight": torch.zeros(192),
}


def test_depths_and_widths():
    assert (depth(STATE), depth(STATE, "decoder."), depth(STATE, "encoder.")) == (12, 3, 0)
    assert decoder_size(STATE) == DecoderSize(192, 3, 3)
    assert decoder_size({}) == DecoderSize(384, 4, 6)
    assert [heads(dim) for dim in (512, 64, 32)] == [8, 1, 1]


def test_tokenizers():
    assert clip_shape(torch.zeros(5, 1, 4, 8, 8)) == ClipShape(patch=8, tubelet=4, channels=1)


def test_what_is_not_there_is_named():
    assert needed(STATE, "decoder.norm.weight", "svfap") is STATE["decoder.norm.weight"]
    with pytest.raises(UserError, match=r"not of the family 'svfap'.*'norm\.weight'"):
        needed(STATE, "norm.weight", "svfap")
