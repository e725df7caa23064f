"""VideoMAE as the papers on faces have it, from a checkpoint of one's own or of their authors."""

from feature_extraction.encoder import register
from feature_extraction.visual.face_clips import FaceClipEncoder, tiny


@register
class VideoMaeFaceEncoder(FaceClipEncoder):
    """VideoMAE (Tong et al. 2022), which normalises the mean of tokens; `video_face` is the one of MER2024."""

    family, kind = "videomae-face", "videomae"
    specs = (tiny("videomae-face"),)
