"""Language models: the hidden states of BERT, GPT and their like, token by token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import FrameFeatures, register
from feature_extraction.piece import Chunk, Piece
from feature_extraction.spec import EncoderSpec
from feature_extraction.text.tiny import WIDTH
from feature_extraction.text.tokens import Tokens
from feature_extraction.text.transformer import TextTransformer
from toolkit.errors import ClipError

if TYPE_CHECKING:
    import torch

_LAST_FOUR = "layers=-4,-3,-2,-1 combine=sum"


def _tiny(kind: str) -> EncoderSpec:
    return EncoderSpec(
        name=f"tiny-{kind}",
        modality="text",
        family="language",
        checkpoint="tiny",
        layers=(-4, -3, -2, -1),
        combine="sum",
        column="text",
        options=(("kind", kind),),
        dim=WIDTH,
    )


@register
class Language(TextTransformer):
    """Any network of transformers that reads text: BERT-like encoders, decoder-only ones, encoders of T5 and its kin.

    A row is a token, its hidden states of the spec's layers combined, by default the last four added (Devlin et al.
    2019, "BERT", section 5.3, and MERTools); the clip's vector is their mean. Layer -1 is what the network gives out,
    its ``last_hidden_state``: behind the final normalisation where there is one (T5, GPT-2, OPT, BLOOM, Falcon, LLaMA,
    Qwen2, CLIP's half that reads), as it was in transformers 4. The layers before it are not normalised so.

    Options:
        tokenizer: class of the tokenizer in transformers, where the checkpoint does not say
        special_tokens: count the special tokens in, those around the whole transcript
        token_types: whether the network is given token types, where having weights for them does not decide
    """

    family = "language"
    specs = (*catalogue("text", "language"), _tiny("bert"), _tiny("llama"))
    has_layers = True
    hub = {"*": _LAST_FOUR}  # noqa: RUF012 - a table of the class, never changed

    def encode(self, batch: Sequence[str]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, D)``, a row per token, and ``times (T, 2)`` in characters; tiny ones have ``D`` 32."""
        return super().encode(batch)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the combined layers ``(t, D)`` of each window."""
        return self.rows(pieces)

    def kept(self, tokens: Tokens, chunk: Chunk) -> tuple[np.ndarray, slice]:
        """Returns which rows of a window are kept; special tokens, where wanted, stand for no character."""
        spans, keep = super().kept(tokens, chunk)
        if not self.spec.option("special_tokens", False):
            return spans, keep
        around = self.reader.surroundings
        before = len(around.before) if chunk.keep_start == 0 else 0
        after = len(around.after) if chunk.keep_stop == len(tokens.ids) else 0
        ends = np.array([[0, 0]] * before), np.array([[tokens.spans[-1, 1]] * 2] * after)
        spans = np.concatenate([ends[0].reshape(-1, 2), spans, ends[1].reshape(-1, 2)])
        return spans, slice(keep.start - before, keep.stop + after)
