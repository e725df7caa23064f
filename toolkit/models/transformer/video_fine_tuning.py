"""Fine-tuning on video alone: what MAE-DFER, SVFAP and VideoMAE share."""

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from toolkit.models.masked_autoencoder import Encoded, FineTuning
from toolkit.models.transformer.block import layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.head import Activation, Head
from toolkit.models.transformer.initial import truncated_normal
from toolkit.models.transformer.positions import sinusoids
from toolkit.models.transformer.tokenizer import VideoTokenizer


class VideoFineTuning(FineTuning):
    """Tokens of a whole clip, blocks, the normalised mean of what comes out of them, one layer of outputs.

    A family adds its blocks, calls `begin` when all its layers are made, and says what the means are of.

    Args:
        shape: of the clips
        dim: width of a token
        depth: number of blocks
        outputs: classes or values, 0 for features alone
        activation: of the outputs
        per_picture: features ``(batch, frames, dim)`` from the steps of time, which are interpolated, and logits
            ``(batch, frames * outputs)``
    """

    def __init__(
        self,
        shape: ClipShape,
        dim: int,
        depth: int,
        outputs: int,
        *,
        activation: Activation | None = None,
        per_picture: bool = False,
    ) -> None:
        super().__init__()
        self.shape, self.top_layer, self.per_picture = shape, depth + 1, per_picture
        self.patch_embed = VideoTokenizer(shape, dim)
        self.register_buffer("positions", sinusoids(shape.tokens, dim), persistent=False)
        self.fc_norm = layer_norm(dim)
        self.head = Head(dim, outputs, activation) if outputs else None

    def begin(self) -> None:
        """Sets the weights as fine-tuning begins where nothing is loaded."""
        truncated_normal(self)
        if self.head is not None:
            self.head.shrink()

    def embedded(self, video: Tensor) -> Tensor:
        """Returns the tokens of a video with their positions, ``(batch, tokens, dim)``."""
        return self.patch_embed(video) + self.positions

    @abstractmethod
    def pooled(self, video: Tensor) -> Tensor:
        """Returns the mean of the last block's tokens that features are made of, ``(batch, dim)``."""

    @abstractmethod
    def steps(self, video: Tensor) -> Tensor:
        """Returns the mean of the last block's tokens at each step of time, ``(batch, steps, dim)``."""

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encodes a batch of whole clips."""
        video = inputs["video"]
        features = self.fc_norm(self._pictures(video) if self.per_picture else self.pooled(video))
        return Encoded(features, features[:, :0] if self.head is None else self.head(features).flatten(1))

    def over_time(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Returns features ``(batch, steps, dim)``, normalised as the one of the whole clip is."""
        return self.fc_norm(self.steps(inputs["video"]))

    def _pictures(self, video: Tensor) -> Tensor:
        """Returns the steps of time, as many as there are pictures, ``(batch, frames, dim)``."""
        steps = self.steps(video).transpose(1, 2)
        return functional.interpolate(steps, self.shape.frames, mode="linear").transpose(1, 2)
