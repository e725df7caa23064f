"""Speech transformers: wav2vec2, HuBERT, WavLM, data2vec-audio."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from feature_extraction.audio.waveform import AS_RECORDED, FrameGrid, overlapping_pieces, padded_pieces, unit_variance
from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import pretrained, seeded
from feature_extraction.encoder import register
from feature_extraction.layers import choose_layers, combine_layers
from feature_extraction.loading import load_whole
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError
from toolkit.media import Sound

if TYPE_CHECKING:
    import torch

_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embedding_groups": 4,
}
# The architectures that differ: group or layer normalisation in the front, normalisation before or after a block,
# relative positions, stacked positional convolutions.
_TINY: dict[str, dict[str, Any]] = {
    "tiny-wav2vec2": {"model_type": "wav2vec2", "num_conv_pos_embeddings": 16},
    "tiny-hubert-large": {
        "model_type": "hubert",
        "num_conv_pos_embeddings": 16,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "conv_bias": True,
    },
    "tiny-wavlm": {"model_type": "wavlm", "num_conv_pos_embeddings": 16, "num_hidden_layers": 2},
    "tiny-data2vec-audio": {"model_type": "data2vec-audio", "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5},
}


def _tiny_spec(name: str) -> EncoderSpec:
    return EncoderSpec(
        name=name, modality="audio", family="speech", checkpoint="tiny", sample_rate=16000,
        layers=(-2, -1), combine="sum", dim=32,
    )  # fmt: skip


@register
class Speech(NetworkEncoder):
    """Hidden states of a speech transformer, one row every 20 ms, each of which sees 25 ms through the convolutions.

    The waveform is normalised over the whole clip where the checkpoint's feature extractor says so. Sounds of up to
    30 s are computed whole, longer ones in chunks with 5 s of context on either side. A sound shorter than one frame,
    25 ms, is ``too_short``. An adapter behind the transformer, which would thin the frames out, goes unused. The option
    ``chunks=padded10`` cuts sounds of over 10 s into pieces of 10 s without context and keeps the frames of the zeros
    at the end, as MERTools does.
    """

    family = "speech"
    specs = (*catalogue("audio", "speech"), *(_tiny_spec(name) for name in _TINY))
    capacity = 16 * 16000  # samples; on a processor more clips at once are no faster
    has_layers = True
    hub: ClassVar[dict[str, str]] = dict.fromkeys(
        ("wav2vec2", "hubert", "wavlm", "data2vec-audio"), "layers=-4,-3,-2,-1 combine=sum"
    )

    def build(self) -> "torch.nn.Module":
        """Returns the network, and notes its frame grid and whether it wants normalised waveforms."""
        from toolkit.models.speech import SpeechNetwork

        model = self._tiny_model() if self.spec.is_tiny else self._pretrained_model()
        self._grid = FrameGrid.of(model.config.conv_kernel, model.config.conv_stride)
        self._normalises = self._wants_normalised(model.config)
        count = model.config.num_hidden_layers + 1
        return SpeechNetwork(model, choose_layers(self.spec.layers, self.spec.combine, count))

    def _tiny_model(self) -> "torch.nn.Module":
        from transformers import AutoConfig, AutoModel

        with seeded():
            return AutoModel.from_config(AutoConfig.for_model(**_SMALL | _TINY[self.spec.name.partition("@")[0]]))

    def _pretrained_model(self) -> "torch.nn.Module":
        from transformers import AutoModel

        unused = ("masked_spec_embed",)  # for training only
        return load_whole(AutoModel.from_pretrained, self.spec, self.trusted, unused=unused)

    def _wants_normalised(self, config: Any) -> bool:
        """Says what the checkpoint's feature extractor does, or where it has none, what its architecture was made for.

        Raises:
            UserError: the model was made for another sample rate
        """
        from transformers import AutoFeatureExtractor

        if self.spec.is_tiny or not pretrained(_has_preprocessor, self.spec):
            return getattr(config, "feat_extract_norm", "layer") == "layer"
        extractor = pretrained(AutoFeatureExtractor.from_pretrained, self.spec, self.trusted)
        if extractor.sampling_rate != self.spec.sample_rate:
            raise UserError(
                f"'{self.spec.name}' hears sound at {extractor.sampling_rate} Hz, this family gives it "
                f"{self.spec.sample_rate} Hz. Choose another model."
            )
        return extractor.do_normalize

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields stretches of the sound; inputs are ``(samples,)``."""
        scale = unit_variance(item.samples) if self._normalises and len(item.samples) else AS_RECORDED
        padded = self.spec.option("chunks") == "padded10"
        return (padded_pieces if padded else overlapping_pieces)(item, self._grid, scale)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the wanted layers of each piece, combined: ``(frames, dim)``."""
        states, lengths = self.network([self.tensor(piece.inputs) for piece in pieces])
        rows = combine_layers(states, range(len(states)), self.spec.combine)
        return [row[:length] for row, length in zip(rows, lengths, strict=True)]


def _has_preprocessor(name: str, *, trust_remote_code: bool, **options: Any) -> bool:
    """Says whether a checkpoint comes with the settings of a feature extractor; it has no code that could run."""
    from transformers.utils import FEATURE_EXTRACTOR_NAME, PROCESSOR_NAME, cached_file

    options["_raise_exceptions_for_missing_entries"] = False
    return any(cached_file(name, file, **options) for file in (FEATURE_EXTRACTOR_NAME, PROCESSOR_NAME))
