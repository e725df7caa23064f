"""VGGish: embeddings of about a second of sound each."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.audio.log_mel import HOP, RATE, SPAN, WINDOW, cut_examples
from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import load_into, read_state, seeded, weights_file, weights_folder
from feature_extraction.encoder import register
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

if TYPE_CHECKING:
    import torch

_OTHER_FORMATS = (".npz", ".pth")  # of the weights: the TensorFlow variables, and torchvggish's file

TINY = EncoderSpec(
    name="tiny-vggish",
    modality="audio",
    family="vggish",
    checkpoint="tiny",
    dim=16,
    sample_rate=RATE,
    options=(("hop", 0.5),),
)


@register
class VggishEncoder(NetworkEncoder):
    """VGGish (Hershey et al. 2017) as MERTools uses it: a row per example of 96 log-mel frames, 0.975 s of sound.

    Rows are ``hop`` seconds apart: 0.5 in ``vggish``, MERTools' utterance features, and 0.05 in ``vggish-dense``, its
    frame features. The end of a clip that fills no further example is not heard. A clip shorter than a second is
    repeated until it is at least that long, as in the reference; each of its rows has then heard all of it, and their
    times are spread over the clip in their order. Shorter than one window of 25 ms there is nothing but the hum of
    the repetition: such a clip is ``too_short``.
    """

    family = "vggish"
    specs = (*catalogue("audio", "vggish"), TINY)
    capacity = 32  # examples

    def build(self) -> "torch.nn.Module":
        """Returns the network with the released weights."""
        from toolkit.models.vggish import Vggish, convert

        if self.spec.is_tiny:
            with seeded():
                return Vggish(width=4, hidden=32, dim=self.spec.dim)
        path = self._weights()
        state = convert(_variables(path)) if path.suffix == ".npz" else read_state(path)
        network = Vggish()
        load_into(network, state, path)
        return network

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields the examples of a sound; raises `ClipError` where it is shorter than a window."""
        samples = item.samples
        if len(samples) < WINDOW:
            got = f"{1000 * item.seconds:.1f} ms of sound"
            raise ClipError(Status.TOO_SHORT, f"{got}, VGGish needs {1000 * WINDOW / RATE:g} ms")
        repeats = -(-RATE // len(samples))
        if repeats > 1:
            samples = np.tile(samples, repeats)
        step = round(self.spec.option("hop") * RATE / HOP)
        for number, example in enumerate(cut_examples(samples, step)):
            middle = (number * step * HOP + SPAN / 2) / RATE
            yield Piece(example, 1, np.array([middle / repeats]))

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns one row ``(1, 128)`` of each example."""
        examples = np.stack([piece.inputs for piece in pieces])
        return list(self.network(self.tensor(examples))[:, None])

    def _weights(self) -> Path:
        """Returns the file of weights, in whichever of the formats it is there."""
        named = weights_folder() / Path(self.spec.checkpoint.removeprefix("local:")).expanduser()
        files = [named, *(named.with_suffix(suffix) for suffix in _OTHER_FORMATS)]
        return next((path for path in files if path.is_file()), None) or weights_file(self.spec)


def _variables(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an ``.npz`` file.

    Raises:
        UserError: it cannot be read, or holds something else than plain arrays
    """
    try:
        with np.load(path) as file:
            return dict(file)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"The checkpoint {path} cannot be read: {error}") from error
