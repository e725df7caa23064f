"""HiCMAE that sees and does not hear."""

from typing import TYPE_CHECKING

from feature_extraction.encoder import register
from feature_extraction.visual.face_clips import FaceClipEncoder, tiny

if TYPE_CHECKING:
    from toolkit.models.hicmae_fine_tuning import HicmaeFineTuning
    from toolkit.models.transformer.clip_shape import ClipShape


@register
class HicmaeFaceEncoder(FaceClipEncoder):
    """HiCMAE (Sun et al. 2024), its face alone: the weighted mean of all layers; a row is of two pictures."""

    family, kind = "hicmae-face", "hicmae"
    specs = (tiny("hicmae-face"),)

    def shape(self, network: "HicmaeFineTuning") -> "ClipShape":
        """Returns the shape of the clips that the network sees."""
        return network.encoder.patch_embed.shape
