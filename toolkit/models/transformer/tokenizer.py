"""What makes tokens of a video."""

from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.masks import taken


class VideoTokenizer(nn.Module):
    """One token for each tubelet.

    It is a convolution whose step is its kernel and is stored as one; computed as a matrix product, which needs only
    be done for the tubelets that are looked at.

    Args:
        shape: of the clip
        dim: width of a token
    """

    def __init__(self, shape: ClipShape, dim: int) -> None:
        super().__init__()
        self.shape = shape
        size = (shape.tubelet, shape.patch, shape.patch)
        self.proj = nn.Conv3d(shape.channels, dim, kernel_size=size, stride=size)

    def forward(self, video: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Maps ``(batch, channels, frames, size, size)`` to ``(batch, tokens, dim)``, first frames and rows first.

        Args:
            video: a clip of the shape
            chosen: ``(batch, chosen)`` indices of the tokens wanted, all of them if None
        """
        tubelets = self.shape.tubelets(video).flatten(4).flatten(1, 3)  # (B, N, numbers), colours slowest
        if chosen is not None:
            tubelets = taken(tubelets, chosen)
        return functional.linear(tubelets, self.proj.weight.flatten(1), self.proj.bias)
