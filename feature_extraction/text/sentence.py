"""Sentence embeddings: models of sentence-transformers, without that package."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import FrameFeatures, register
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from feature_extraction.text.loading import load_network, load_tokenizer
from feature_extraction.text.pooling import Pooling, SentenceFiles
from feature_extraction.text.tiny import WIDTH
from feature_extraction.text.tokens import TokenReader
from feature_extraction.text.transformer import TextTransformer
from toolkit.errors import ClipError

if TYPE_CHECKING:
    import torch

_TINY = EncoderSpec(
    name="tiny-sentence",
    modality="text",
    family="sentence",
    checkpoint="tiny",
    pooling="own",
    column="text",
    options=(("kind", "bert"),),
    dim=WIDTH,
)


@register
class Sentence(TextTransformer):
    """Networks trained so that one vector stands for a sentence (Reimers & Gurevych 2019, "Sentence-BERT").

    The clip's vector is the model's own: its pooling over all tokens, special ones included, then its linear maps and
    normalisation. Rows are the tokens it is made of, the network's last layer. Of a transcript longer than the model
    reads at once, which the package would cut off, the vector is the mean of its windows' vectors, each weighed by
    the tokens kept of it, and normalised again where the model normalises.
    """

    family = "sentence"
    specs = (*catalogue("text", "sentence"), _TINY)
    hub = {"sentence": "pooling=own"}  # noqa: RUF012 - a table of the class, never changed

    def load(self) -> tuple[Any, "torch.nn.Module"]:
        """Returns tokenizer and network, and sets ``reader`` and ``pooling``."""
        if self.spec.is_tiny:
            self.pooling = Pooling(normalised=True)
            return super().load()
        files = SentenceFiles(self.spec, self.trusted)
        self.pooling = files.pooling().to(self.device)
        tokenizer = load_tokenizer(self.spec, self.trusted, subfolder=files.subfolder)
        if files.longest:
            tokenizer.model_max_length = min(tokenizer.model_max_length, files.longest)
        self.reader = TokenReader(tokenizer, lower=files.lower)
        network = load_network(self.spec, self.trusted, dtype=self.dtype, subfolder=files.subfolder)
        return tokenizer, network

    def encode(self, batch: Sequence[str]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, D)``, ``times (T, 2)`` in characters and ``utterance (E,)``; tiny: 32, 32."""
        return [self._parted(result) for result in super().encode(batch)]

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns, for each window, its tokens and beside each of them the window's vector: ``(t, D + E)``.

        So the mean over all tokens of a clip holds the mean of the vectors, weighed as it should be.
        """
        import torch

        rows = self.rows(pieces)
        self._width = rows[0].shape[1]
        vectors = self.pooling(rows)
        return [
            torch.cat([text, vector.expand(len(text), -1)], dim=1) for text, vector in zip(rows, vectors, strict=True)
        ]

    def _parted(self, result: FrameFeatures | ClipError) -> FrameFeatures | ClipError:
        if isinstance(result, ClipError):
            return result
        utterance = result.utterance[self._width :]
        if self.pooling.normalised:
            utterance = utterance / max(np.linalg.norm(utterance), 1e-12)
        return result._replace(values=result.values[:, : self._width], utterance=utterance.astype(np.float32))
