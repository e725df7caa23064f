"""SVFAP, pretrained on talking faces, from a checkpoint of one's own or of its authors."""

from typing import TYPE_CHECKING

from feature_extraction.encoder import register
from feature_extraction.visual.face_clips import FaceClipEncoder, tiny

if TYPE_CHECKING:
    from toolkit.models.svfap import SvfapFineTuning


@register
class SvfapEncoder(FaceClipEncoder):
    """SVFAP (Sun et al. 2024): a row is of a step of the last stage, eight pictures in the published sizes."""

    family = kind = "svfap"
    specs = (tiny("svfap"),)

    def count_steps(self, network: "SvfapFineTuning") -> int:
        """Returns how many steps of time the last stage has."""
        steps = super().count_steps(network)
        for downsampling in network.temporal_downsamples:
            steps //= downsampling.stride[0]
        return steps
