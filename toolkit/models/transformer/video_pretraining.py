"""Pretraining on video alone: what MAE-DFER, SVFAP and VideoMAE share."""

from collections.abc import Mapping

from torch import Tensor, nn

from toolkit.models.masked_autoencoder import Pretraining, Reconstruction
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import Decoder, DecoderSize
from toolkit.models.transformer.initial import learned_token
from toolkit.models.transformer.masks import Mask, Shuffler, Split, draw
from toolkit.models.transformer.targets import VideoTarget


class VideoPretraining(Pretraining):
    """An encoder of what is seen and a decoder of what is not.

    Args:
        encoder: maps ``(video, split)`` to ``(batch, visible, dim)``, normalised
        dim: width of the encoder's tokens
        shape: of the clips
        decoder: its size
        mask: how tokens are hidden
        target: what is predicted of them
    """

    def __init__(
        self, encoder: nn.Module, dim: int, shape: ClipShape, decoder: DecoderSize, *, mask: Mask, target: VideoTarget
    ) -> None:
        super().__init__()
        self.shape, self.mask, self.target = shape, mask, target
        self.mask_token = learned_token(1, 1, decoder.dim)
        self.encoder = encoder
        self.decoder = Decoder(decoder, shape.tokens, shape.numbers)
        self.encoder_to_decoder = nn.Linear(dim, decoder.dim, bias=False)

    def draw_masks(self, batch: int, chance: Shuffler) -> dict[str, Tensor]:
        """Returns a random mask for each clip, ``video``."""
        return {"video": draw(self.mask, self.shape.grid, batch, chance)}

    def forward(self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Reconstruction:
        """Rebuilds the hidden tubelets of a batch."""
        video = inputs["video"]
        split = Split.of(masks["video"], video.device)
        seen = self.encoder_to_decoder(self.encoder(video, split))
        predicted, target = self.decoder(seen, self.mask_token, split), self.target(video, split.masked)
        loss = self.target.loss(predicted, target)
        return Reconstruction(loss, {"video": loss}, {"video": predicted}, {"video": target})

    def rebuilt(
        self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor], predictions: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Returns ``video`` with its hidden tubelets as predicted, pixels in [0, 1]."""
        video = inputs["video"]
        masked = Split.of(masks["video"], video.device).masked
        return {"video": self.target.rebuilt(video, masked, predictions["video"])}
