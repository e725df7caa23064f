"""MAE-DFER, pretrained on talking faces, from a checkpoint of one's own or of its authors."""

from feature_extraction.encoder import register
from feature_extraction.visual.face_clips import FaceClipEncoder, tiny


@register
class MaeDferEncoder(FaceClipEncoder):
    """MAE-DFER (Sun et al. 2023): a clip's vector is of the regions' representatives, a row is of two pictures."""

    family = kind = "mae-dfer"
    specs = (tiny("mae-dfer"),)
