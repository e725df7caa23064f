"""Image models of timm, EVA-02 among them; an extra, because timm needs a torchvision that fits torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import seeded
from feature_extraction.encoder import register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.spec import EncoderSpec
from feature_extraction.visual.picture_encoder import PictureEncoder
from feature_extraction.visual.preprocessing import Preprocessing, normalisation
from toolkit.errors import UserError

if TYPE_CHECKING:
    from types import ModuleType

    import torch

# An EVA-02 of two layers for pictures of 28 pixels: rotary positions, SwiGLU, 14-pixel patches as in the large ones.
_TINY: dict[str, Any] = {
    "model_name": "eva02_tiny_patch14_224", "img_size": 28, "depth": 2, "embed_dim": 24, "num_heads": 2,
    "pretrained_cfg_overlay": {"input_size": (3, 28, 28)},
}  # fmt: skip


@register
class TimmEncoder(PictureEncoder):
    """What a timm model gives its classifier for each picture: the pooled features, after normalisation.

    The checkpoint is ``timm:NAME`` for a model of the hub's organisation ``timm``, or ``timm:FOLDER`` for what timm's
    ``save_for_hf`` wrote. Pictures are prepared by the transform that timm makes for the model.
    """

    family = "timm"
    specs = (
        *catalogue("visual", "timm"),
        EncoderSpec(
            name="tiny-timm", modality="visual", family="timm", checkpoint="tiny", input_size=28, faces=FaceSpec(),
            dim=24,
        ),
    )  # fmt: skip

    def build(self) -> "torch.nn.Module":
        """Returns the network without its classifier."""
        timm = _timm()
        network = self._load(timm)
        config = timm.data.resolve_model_data_config(network)
        size = config["input_size"][1:]
        if self.spec.input_size and set(size) != {self.spec.input_size}:
            raise UserError(
                f"'{self.spec.name}' needs pictures of {self.spec.input_size} x {self.spec.input_size} pixels, but "
                f"{self.spec.checkpoint} takes them {size[0]} x {size[1]}."
            )
        *self._geometry, _, _ = timm.data.create_transform(**config, is_training=False).transforms
        # In place of the last two steps, see `preprocessing`; the resize is theirs.
        scale, shift = normalisation(config["mean"], config["std"])
        self._colours = Preprocessing(resize=size, scale=scale, shift=shift)
        return network

    def _load(self, timm: "ModuleType") -> "torch.nn.Module":
        if self.spec.is_tiny:
            with seeded():
                return timm.create_model(**_TINY, pretrained=False, num_classes=0)
        name = self.spec.checkpoint.removeprefix("timm:")
        folder = Path(name).expanduser()
        place = f"local-dir:{folder}" if folder.is_dir() else f"hf-hub:timm/{name}@{self.spec.revision}"
        try:
            return timm.create_model(place, pretrained=True, num_classes=0)
        except (OSError, RuntimeError, ValueError) as error:
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UserError(
                f"'{self.spec.name}' needs the timm model {name}, which cannot be loaded: {first}\n"
                f"On a machine with a connection: hf download timm/{name} --revision {self.spec.revision}."
            ) from error

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns ``(height, width, 3)`` uint8, resized and cropped."""
        from PIL import Image

        image = Image.fromarray(crop)
        for step in self._geometry:
            image = step(image)
        return np.asarray(image)

    def rows(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns the pooled features."""
        return self.network(self._colours.normalised(pictures).to(self.dtype))


def _timm() -> "ModuleType":
    """Returns the library.

    Raises:
        UserError: it is absent, or it or its torchvision cannot be imported
    """
    install = 'Run: pip install -c constraints.txt -e ".[timm]"'
    try:
        import timm
        import timm.data
    except ModuleNotFoundError as error:
        raise UserError(
            f"Models of timm need the package '{error.name}', which is not installed. {install} (only with a CUDA "
            "build of torch, or with a torchvision built for your CPU torch)"
        ) from error
    except (ImportError, OSError, RuntimeError) as error:  # what torchvision builds for another torch raise
        import torch

        raise UserError(
            f"timm is installed but cannot be imported, most often because torchvision does not fit torch "
            f"{torch.__version__} ({type(error).__name__}: {str(error).splitlines()[0]}). Install the torchvision "
            "build that matches, or run: pip uninstall torchvision timm (and use an encoder of transformers)"
        ) from error
    return timm
