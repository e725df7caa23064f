"""Preprocessing of pictures as a checkpoint's own processor does it, at a fraction of its cost.

The processors of transformers resize with PIL, crop the middle, and then rescale and normalise in float64 and float32
on the CPU. Only the first two steps decide pixels, and they are done here in the same way; the others are one
multiplication and one addition per colour, which the device does in passing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

_PROBE = (60, 41)  # height and width of the picture on which both ways are compared


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What is done to a picture before a network sees it.

    Attributes:
        resize: height and width, or the length of the shorter side
        crop: height and width of the middle that is kept, ``None`` for the whole picture
        resample: filter, as PIL numbers them
        scale: factor of each colour, red first; from [0, 255]
        shift: what is added to each colour then
    """

    resize: tuple[int, int] | int
    crop: tuple[int, int] | None = None
    resample: int = 3
    scale: tuple[float, ...] = (1 / 127.5,) * 3
    shift: tuple[float, ...] = (-1.0,) * 3

    @classmethod
    def of(cls, processor: Any, name: str) -> Self:
        """Returns what an image processor of transformers does, after comparing the two on a picture.

        Args:
            processor: with the PIL backend
            name: of the encoder, for messages

        Raises:
            UserError: the processor does something else than resize, crop, rescale and normalise, or its pictures
                differ in size
        """
        size = processor.size if processor.do_resize else None
        resize = size and (size.shortest_edge or (size.height and (size.height, size.width)))
        crop = processor.crop_size if processor.do_center_crop else None
        mean, std = (processor.image_mean, processor.image_std) if processor.do_normalize else (0.0, 1.0)
        scale, shift = normalisation(mean, std, processor.rescale_factor if processor.do_rescale else 1.0)
        ours = cls(
            resize=resize,
            crop=(crop.height, crop.width) if crop else None,
            resample=int(processor.resample),
            scale=scale,
            shift=shift,
        )
        if not (resize and ours._equals(processor)):
            raise UserError(
                f"'{name}' prepares pictures by {type(processor).__name__} in a way that is not supported: expected a "
                "resize, a crop of the middle, rescaling and normalisation, to pictures of one size."
            )
        return ours

    def _equals(self, processor: Any) -> bool:
        probe = np.random.default_rng(0).integers(0, 256, (*_PROBE, 3)).astype(np.uint8)
        theirs = processor(images=[probe], return_tensors="np", input_data_format="channels_last")["pixel_values"]
        theirs = theirs.reshape(theirs.shape[-3:])  # processors of videos have an axis more before the picture's
        if self.size is None or theirs.shape[1:] != self.size:
            return False
        ours = (self.picture(probe) * np.array(self.scale) + np.array(self.shift)).transpose(2, 0, 1)
        return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=1e-6, atol=1e-5))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of what comes out; ``None`` where that depends on what goes in."""
        return self.crop or (self.resize if isinstance(self.resize, tuple) else None)

    def picture(self, image: np.ndarray) -> np.ndarray:
        """Returns a picture resized and cropped; PIL lets other threads run meanwhile.

        Args:
            image: ``(height, width, 3)`` uint8

        Returns:
            ``(*size, 3)`` uint8
        """
        from PIL import Image

        height, width = self.resize if isinstance(self.resize, tuple) else _shorter_side(image, self.resize)
        pixels = np.asarray(Image.fromarray(image).resize((width, height), self.resample))
        if self.crop is None:
            return pixels
        top, left = (height - self.crop[0]) // 2, (width - self.crop[1]) // 2
        return pixels[top : top + self.crop[0], left : left + self.crop[1]]

    def normalised(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns pictures as a network wants them.

        Args:
            pictures: ``(N, height, width, 3)`` uint8, on any device

        Returns:
            ``(N, 3, height, width)`` float32
        """
        import torch

        scale, shift = (torch.tensor(v, device=pictures.device).view(3, 1, 1) for v in (self.scale, self.shift))
        values = pictures.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        return values.mul_(scale).add_(shift)


def normalisation(mean: Any, std: Any, factor: float = 1 / 255) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns ``scale`` and ``shift`` that multiply by a factor, subtract a mean and divide by a standard deviation.

    Args:
        mean: of each colour, or of all
        std: of each colour, or of all
        factor: from [0, 255] to the unit of both
    """
    mean, std = (np.broadcast_to(np.asarray(value, np.float64), 3) for value in (mean, std))
    return tuple((factor / std).tolist()), tuple((-mean / std).tolist())


def _shorter_side(image: np.ndarray, length: int) -> tuple[int, int]:
    """Returns height and width such that the shorter of them has that length; the other one is rounded down."""
    height, width = image.shape[:2]
    if width <= height:
        return int(length * height / width), length
    return length, int(length * width / height)
