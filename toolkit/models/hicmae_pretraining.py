"""HiCMAE as it learns from pictures and sound without labels."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.hicmae_size import HicmaeSize
from toolkit.models.masked_autoencoder import Pretraining, Reconstruction
from toolkit.models.stream_contrast import contrast
from toolkit.models.stream_encoder import StreamEncoder
from toolkit.models.transformer.decoder import Decoder
from toolkit.models.transformer.initial import learned_token, xavier
from toolkit.models.transformer.masks import Mask, Scattered, Shuffler, Split, Tube, draw, taken
from toolkit.models.transformer.targets import VideoTarget, spectrogram_target


class HicmaePretraining(Pretraining):
    """Encoders of what is seen and heard, which read each other, and decoders of what is hidden.

    Args:
        size: of the network
        mask: how tokens of the clip are hidden
        audio_mask: how tokens of the spectrogram are hidden
        target: what is predicted of the pictures, pixels and how they change from one picture to the next if None
        contrast_weight: of the contrast in the loss, the reconstructions' being 1
        temperature: of the contrast

    Raises:
        ValueError: a decoder has not one block more than there are taps, or streams of two widths are to be contrasted
    """

    def __init__(
        self,
        size: HicmaeSize,
        *,
        mask: Mask = Tube(),  # noqa: B008
        audio_mask: Mask = Scattered(),  # noqa: B008
        target: VideoTarget | None = None,
        contrast_weight: float = 0.0025,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        _check(size)
        self.size, self.mask, self.audio_mask = size, mask, audio_mask
        self.target = target or VideoTarget(size.shape, difference_group=2)
        self.contrast_weight, self.temperature = contrast_weight, temperature
        video, audio = size.video.decoder, size.audio.decoder
        self.mask_token = learned_token(1, 1, video.dim)
        self.mask_token_audio = learned_token(1, 1, audio.dim)
        self.encoder = StreamEncoder(size.shape, size.video)
        self.decoder = Decoder(video, size.shape.tokens, size.shape.numbers, skips=True)
        self.encoder_audio = StreamEncoder(size.spectrogram, size.audio)
        self.decoder_audio = Decoder(audio, size.spectrogram.tokens, size.spectrogram.numbers, skips=True)
        self.encoder_fusion = size.fusion()
        for part in (self.encoder, self.encoder_audio, self.encoder_fusion):
            xavier(part)
        self.encoder_to_decoder = nn.Linear(size.video.dim, video.dim, bias=False)
        self.encoder_to_decoder_audio = nn.Linear(size.audio.dim, audio.dim, bias=False)

    def draw_masks(self, batch: int, chance: Shuffler) -> dict[str, Tensor]:
        """Returns random masks for each clip: ``video``, all drawn first, and ``audio``."""
        video = draw(self.mask, self.size.shape.grid, batch, chance)
        return {"video": video, "audio": draw(self.audio_mask, self.size.spectrogram.grid, batch, chance)}

    def forward(self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Reconstruction:
        """Rebuilds what is hidden of pictures and sound."""
        video, audio = inputs["video"], inputs["audio"]
        unseen, unheard = (Split.of(masks[stream], inputs[stream].device) for stream in ("video", "audio"))
        sights, seen = self._encoded(self.encoder, video, unseen)
        sounds, heard = self._encoded(self.encoder_audio, audio, unheard)
        seen, heard = self.encoder_fusion(seen, heard)

        project, listen = self.encoder_to_decoder, self.encoder_to_decoder_audio
        predictions = {
            "video": self.decoder(project(seen), self.mask_token, unseen, [project(tap) for tap in sights]),
            "audio": self.decoder_audio(listen(heard), self.mask_token_audio, unheard, [listen(tap) for tap in sounds]),
        }
        squares = taken(self.size.spectrogram.patches(audio), unheard.masked)
        targets = {"video": self.target(video, unseen.masked), "audio": spectrogram_target(squares)}
        parts = {
            "video": self.target.loss(predictions["video"], targets["video"]),
            "audio": functional.mse_loss(predictions["audio"].float(), targets["audio"]),
            "contrast": contrast(zip(sights, sounds, strict=True), self.temperature),
        }
        loss = parts["video"] + parts["audio"] + self.contrast_weight * parts["contrast"]
        return Reconstruction(loss, parts, predictions, targets)

    def rebuilt(
        self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor], predictions: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Returns ``video``, pixels in [0, 1], and ``audio``, with their hidden parts as predicted."""
        video, audio = inputs["video"], inputs["audio"]
        masked, audio_masked = (Split.of(masks[stream], inputs[stream].device).masked for stream in ("video", "audio"))
        return {
            "video": self.target.rebuilt(video, masked, predictions["video"]),
            "audio": self.size.spectrogram.rebuilt(audio, audio_masked, predictions["audio"]),
        }

    def _encoded(self, encoder: StreamEncoder, inputs: Tensor, split: Split) -> tuple[list[Tensor], Tensor]:
        """Returns the tokens that are tapped and those of the last block, all normalised."""
        layers = list(encoder.layers(inputs, split.visible))
        last = len(layers) - 1
        normalised = {index: encoder.norm(layers[index]) for index in sorted({*self.size.taps, last})}
        return [normalised[tap] for tap in self.size.taps], normalised[last]


def _check(size: HicmaeSize) -> None:
    depths = {size.video.decoder.depth, size.audio.decoder.depth}
    if depths != {len(size.taps) + 1}:
        raise ValueError(f"decoders of {sorted(depths)} blocks for {len(size.taps)} taps, expected one block more")
    if size.video.dim != size.audio.dim:
        raise ValueError(f"streams {size.video.dim} and {size.audio.dim} wide cannot be contrasted, expected one width")
