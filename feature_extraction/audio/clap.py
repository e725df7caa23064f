"""CLAP: sound in the space that it shares with descriptions of sounds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import pretrained, seeded
from feature_extraction.encoder import register
from feature_extraction.loading import load_whole
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

if TYPE_CHECKING:
    import torch
    from transformers import ClapFeatureExtractor

TINY = EncoderSpec(
    name="tiny-clap", modality="audio", family="clap", checkpoint="tiny", sample_rate=48000, dim=16
)  # fmt: skip


@register
class Clap(NetworkEncoder):
    """Embeddings of contrastive language-audio pretraining (Wu et al. 2023, Large-scale Contrastive Language-Audio
    Pretraining with Feature Fusion and Keyword-to-Caption Augmentation, ICASSP), scaled to length one.

    A row is the embedding of 10 s of sound, the next row that of the next 10 s, so most clips have one. What the last
    row hears is shorter as a rule and repeated until it fills the window, as in training; its time is the middle of
    the sound before it was repeated. A rest shorter than one window of the Fourier transform (21 ms) goes unheard.
    The model's own way with longer clips, a window at random, is never taken.
    """

    family = "clap"
    specs = (*catalogue("audio", "clap"), TINY)
    capacity = 2  # windows
    hub: ClassVar[dict[str, str]] = {"clap": "sample_rate=48000"}

    extractor: "ClapFeatureExtractor"

    def build(self) -> "torch.nn.Module":
        """Returns the network without its half that reads."""
        from transformers import ClapFeatureExtractor, ClapModel

        if self.spec.is_tiny:
            self.extractor, network = _tiny_extractor(), _tiny_network()
        else:
            self.extractor = pretrained(ClapFeatureExtractor.from_pretrained, self.spec, self.trusted)
            unused = ("text_model.", "text_projection.", "logit_scale_")
            network = load_whole(ClapModel.from_pretrained, self.spec, self.trusted, unused=unused)
        if self.extractor.sampling_rate != self.spec.sample_rate:
            got, wanted = self.spec.sample_rate, self.extractor.sampling_rate
            raise UserError(f"'{self.spec.name}' has a sample rate of {got} Hz, its model hears {wanted} Hz.")
        del network.text_model, network.text_projection
        return network

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields windows: their log-mel spectrogram ``(1 or 4, frames, mels)``, and whether it is a fused one."""
        window, shortest = self.extractor.nb_max_samples, self.extractor.fft_window_size
        if len(item.samples) < shortest:
            length = f"{1000 * item.seconds:.1f} ms of sound, CLAP needs {1000 * shortest / item.rate:.1f} ms"
            raise ClipError(Status.TOO_SHORT, length)
        for start in range(0, len(item.samples) - shortest + 1, window):
            samples = np.asarray(item.samples[start : start + window])
            # One window at a time: the extractor draws lots among those of a batch which is to count as a long one.
            inputs = self.extractor(samples, sampling_rate=item.rate, return_tensors="np")
            spectrogram = inputs["input_features"][0].astype(np.float32)
            middle = (start + len(samples) / 2) / item.rate
            yield Piece((spectrogram, inputs["is_longer"][0]), 1, np.array([middle]))

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the embedding ``(1, D)`` of each window."""
        spectrograms, longer = (self.tensor(np.stack(parts)) for parts in zip(*(p.inputs for p in pieces), strict=True))
        rows = self.network.get_audio_features(input_features=spectrograms, is_longer=longer).pooler_output
        return list(rows[:, None])


def _tiny_network() -> "torch.nn.Module":
    from transformers import ClapConfig, ClapModel

    # 256 is what 64 mels want: the network folds the spectrogram into a square of that side.
    audio = {
        "spec_size": 256, "num_mel_bins": 64, "patch_embeds_hidden_size": 8, "hidden_size": 16, "depths": [1, 1],
        "num_attention_heads": [1, 2], "projection_dim": TINY.dim,
    }  # fmt: skip
    text = {
        "vocab_size": 8, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8,
        "max_position_embeddings": 8, "projection_dim": TINY.dim,
    }  # fmt: skip
    with seeded():
        return ClapModel(ClapConfig(audio_config=audio, text_config=text, projection_dim=TINY.dim))


def _tiny_extractor() -> "ClapFeatureExtractor":
    from transformers import ClapFeatureExtractor

    return ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad", max_length_s=2)
