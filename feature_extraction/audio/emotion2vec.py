"""emotion2vec: speech pretrained on emotional speech, through its authors' package funasr."""

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.audio.waveform import AS_RECORDED, FrameGrid, overlapping_pieces, unit_variance
from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import register
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from toolkit.errors import UserError
from toolkit.media import Sound

if TYPE_CHECKING:
    import torch

_GRID = FrameGrid(hop=320, field=400)  # of the convolutions in front of the network, in samples at 16 kHz
_EPSILON = 1e-5  # of the layer norm that the package puts a clip through


@register
class Emotion2vec(NetworkEncoder):
    """Frames of emotion2vec (Ma et al. 2024, emotion2vec: Self-Supervised Pre-Training for Speech Emotion
    Representation, Findings of ACL), 50 per second: what the package gives as ``feats`` for the granularity ``frame``.

    A ``funasr:`` checkpoint is a model id of ModelScope or a folder. The package builds the network; clips are
    normalised as a whole, as the package does it, and cut and batched as with any other network. There is no tiny
    network of this family, since the package alone knows how to build one.

    Raises:
        UserError: the package is not installed, or the checkpoint is not to be had
    """

    family = "emotion2vec"
    specs = catalogue("audio", "emotion2vec")
    capacity = 30 * 16000  # samples

    normalises: bool

    @property
    def equal_lengths(self) -> bool:
        """True: the package takes clips one by one, so what its network makes of padding is nobody's promise."""
        return True

    def build(self) -> "torch.nn.Module":
        """Returns the network as the package builds and loads it."""
        if importlib.util.find_spec("funasr") is None:
            raise UserError(
                f"The audio encoder '{self.spec.name}' needs the package funasr, which is not installed. Install it "
                'with: pip install "mer-toolkit[emotion2vec]" (in a checkout: pip install -e ".[emotion2vec]").'
            )
        import torch
        from funasr import AutoModel

        name = self.spec.checkpoint.removeprefix("funasr:")
        quiet = {"disable_update": True, "disable_pbar": True, "log_level": "ERROR"}
        try:
            # It sets the number of threads to `ncpu`: 4 unless it is told.
            model = AutoModel(
                model=name, model_revision=self.spec.revision, device="cpu", ncpu=torch.get_num_threads(), **quiet
            )
        except (RuntimeError, AssertionError, OSError, KeyError) as error:
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UserError(
                f"'{self.spec.name}' needs the checkpoint {name}, which funasr can neither find nor fetch: {first}\n"
                f"On a machine with a connection: modelscope download --model {name} --revision {self.spec.revision}"
            ) from error
        self.normalises = bool(model.model.cfg.normalize)
        return model.model

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields the normalised clip, or chunks of it; inputs are ``(samples,)``."""
        scale = unit_variance(item.samples, _EPSILON) if self.normalises and len(item.samples) else AS_RECORDED
        return overlapping_pieces(item, _GRID, scale)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the frames ``(t, D)`` of each chunk."""
        source = self.tensor(np.stack([piece.inputs for piece in pieces]))
        return list(self.network.extract_features(source, padding_mask=None)["x"])
