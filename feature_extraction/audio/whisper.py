"""Whisper: what its encoder makes of the sound, or its decoder of the first thirty seconds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from feature_extraction.audio.tiny_whisper import DIM, tiny_extractor, tiny_network
from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import pretrained
from feature_extraction.encoder import register
from feature_extraction.layers import combine_layers
from feature_extraction.loading import load_whole
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece, cut_chunks
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

if TYPE_CHECKING:
    import torch
    from transformers import WhisperFeatureExtractor

STATES = ("encoder", "decoder")

_STRIDE = 2  # spectrogram frames per state of the encoder
_CONTEXT = 6  # a chunk of a long clip sees a sixth of its window (5 s) on either side of what is kept


TINY = EncoderSpec(
    name="tiny-whisper",
    modality="audio",
    family="whisper",
    checkpoint="tiny",
    sample_rate=16000,
    options=(("states", "encoder"),),
    dim=DIM,
)


@register
class Whisper(NetworkEncoder):
    """Hidden states of a speech recogniser (Radford et al. 2023, Robust Speech Recognition via Large-Scale Weak
    Supervision, ICML).

    With the option ``states=encoder`` a row is a state of the encoder, 50 per second: its last ones, or those of
    ``spec.layers``. Whisper hears windows of 30 s and no others, so a shorter clip is filled up with silence, the
    states of which are left out again; a longer one is cut into windows that overlap by 10 s, and the middle of each
    is kept. State ``i`` comes from convolutions around the time ``i / 50`` s, which is its time. The decoder is not
    kept in memory.

    With ``states=decoder`` (what MERTools uses) there are two rows: the last states of the decoder that has been given
    its start token twice, and no sound after the first window is heard. Both rows saw all of the sound, so neither
    has a time of its own; they are filed under the middle and the end of what was heard.
    """

    family = "whisper"
    specs = (*catalogue("audio", "whisper"), TINY)
    capacity = 3000  # spectrogram frames: one window
    has_layers = True
    hub: ClassVar[dict[str, str]] = {"whisper": "states=encoder"}

    extractor: "WhisperFeatureExtractor"

    def build(self) -> "torch.nn.Module":
        """Returns the encoder alone, or the whole network where its decoder is wanted."""
        if self._states not in STATES:
            raise UserError(f"'{self.spec.name}' has the option states={self._states}, expected one of {STATES}.")
        if self._states == "decoder" and (self.spec.layers or self.spec.combine == "keep"):
            raise UserError(f"'{self.spec.name}' takes the decoder's last layer; only states=encoder has others.")
        if self.spec.is_tiny:
            self.extractor, network = tiny_extractor(), tiny_network().model
        else:
            from transformers import AutoModel, WhisperFeatureExtractor

            self.extractor = pretrained(WhisperFeatureExtractor.from_pretrained, self.spec, self.trusted)
            unused = () if self._states == "decoder" else ("decoder.",)
            network = load_whole(AutoModel.from_pretrained, self.spec, self.trusted, unused=unused)
            self._check_spectrograms(network.config)
        return network if self._states == "decoder" else network.get_encoder()

    def _check_spectrograms(self, config: Any) -> None:
        """Raises a `UserError` where the extractor's spectrograms are not what the network was made for."""
        rate, mels, frames = self.extractor.sampling_rate, self.extractor.feature_size, self.extractor.nb_max_frames
        if rate != self.spec.sample_rate:
            raise UserError(
                f"'{self.spec.name}' hears sound at {rate} Hz, this family gives it {self.spec.sample_rate} Hz. "
                "Choose another model."
            )
        window = _STRIDE * config.max_source_positions
        if (mels, frames) != (config.num_mel_bins, window):
            raise UserError(
                f"The preprocessor_config.json of '{self.spec.name}' makes spectrograms of {mels} mels by {frames} "
                f"frames, its network hears {config.num_mel_bins} by {window}: it is another model's."
            )

    @property
    def _states(self) -> str:
        return self.spec.option("states", "encoder")

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields windows: their log-mel spectrogram ``(mels, frames)``, and how many states are of real sound."""
        samples, hop = item.samples, self.extractor.hop_length
        if len(samples) < hop:
            length = f"{1000 * item.seconds:.1f} ms of sound, Whisper needs {1000 * hop / item.rate:g} ms"
            raise ClipError(Status.TOO_SHORT, length)
        window = self.extractor.nb_max_frames
        if self._states == "decoder":
            heard = samples[: self.extractor.n_samples]
            times = len(heard) / item.rate * np.array([0.5, 1.0])
            yield Piece((self._spectrogram(heard), 2), window, times)
            return
        stride = _STRIDE * hop  # samples per state
        longest = window // _STRIDE
        states = -(-len(samples) // stride)
        for chunk in cut_chunks(states, longest=longest, context=longest // _CONTEXT):
            spectrogram = self._spectrogram(samples[chunk.start * stride : chunk.stop * stride])
            times = np.arange(chunk.keep_start, chunk.keep_stop) * stride / item.rate
            yield Piece((spectrogram, chunk.stop - chunk.start), window, times, chunk.keep)

    def _spectrogram(self, samples: np.ndarray) -> np.ndarray:
        rate = self.extractor.sampling_rate
        return self.extractor(samples, sampling_rate=rate, return_tensors="np").input_features[0]

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the states of real sound ``(t, D)`` of each window, or the two of the decoder."""
        spectrograms = self.tensor(np.stack([piece.inputs[0] for piece in pieces]))
        states = self._decoded(spectrograms) if self._states == "decoder" else self._encoded(spectrograms)
        return [rows[: piece.inputs[1]] for rows, piece in zip(states, pieces, strict=True)]

    def _encoded(self, spectrograms: "torch.Tensor") -> "torch.Tensor":
        if not self.spec.layers and self.spec.combine != "keep":
            return self.network(spectrograms).last_hidden_state
        outputs = self.network(spectrograms, output_hidden_states=True)
        return combine_layers(outputs.hidden_states, self.spec.layers, self.spec.combine)

    def _decoded(self, spectrograms: "torch.Tensor") -> "torch.Tensor":
        start = self.network.config.decoder_start_token_id
        tokens = self.tensor(np.full((len(spectrograms), 2), start))
        return self.network(spectrograms, decoder_input_ids=tokens, use_cache=False).last_hidden_state
