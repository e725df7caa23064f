"""The decoder against its definition."""

import torch

from toolkit.models.transformer.decoder import Decoder, DecoderSize
from toolkit.models.transformer.masks import Split
from toolkit.models.transformer.positions import sinusoids

SPLIT = Split(torch.tensor([[1, 3], [0, 4]]), torch.tensor([[0, 2, 4], [1, 2, 3]]))


def test_hidden_tokens_come_last_and_alone_are_predicted():
    decoder = Decoder(DecoderSize(4, 2, 1), tokens=5, outputs=3)
    visible, mask_token = torch.randn(2, 2, 4), torch.randn(1, 1, 4)
    codes = sinusoids(5, 4)
    tokens = torch.stack(
        [
            torch.cat([visible[clip] + codes[SPLIT.visible[clip]], mask_token[0] + codes[SPLIT.masked[clip]]])
            for clip in range(2)
        ]
    )
    for block in decoder.blocks:
        tokens = block(tokens)
    torch.testing.assert_close(decoder(visible, mask_token, SPLIT), decoder.head(decoder.norm(tokens))[:, 2:])
    assert not any("positions" in name for name in decoder.state_dict())


def test_skips_are_read_from_the_last():
    decoder = Decoder(DecoderSize(4, 3, 1), tokens=5, outputs=3, skips=True)
    visible, mask_token = torch.randn(2, 2, 4), torch.randn(1, 1, 4)
    early, late = torch.randn(2, 2, 4), torch.randn(2, 2, 4)
    heard = []
    for block in decoder.blocks[1:]:
        block.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[1]))
    decoder(visible, mask_token, SPLIT, [early, late])
    codes = sinusoids(5, 4)[SPLIT.visible]
    torch.testing.assert_close(heard, [late + codes, early + codes])
    assert not hasattr(decoder.blocks[0], "cross_attn")
