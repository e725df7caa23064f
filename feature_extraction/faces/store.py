"""Face tracks in and out of the faces cache; the crops are kept as JPEG."""

from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.faces.track import FaceTrack
from toolkit.cache import Record
from toolkit.errors import ClipError
from toolkit.status import Status

if TYPE_CHECKING:
    from toolkit.cache import Cache


def encode_crops(crops: np.ndarray, quality: int) -> list[bytes]:
    """Returns each crop as a JPEG file, colours at full resolution.

    Args:
        crops: ``(T, S, S, 3)`` uint8 RGB
        quality: 1 to 100
    """
    import cv2

    colours = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, *colours]
    # OpenCV thinks in BGR
    return [cv2.imencode(".jpg", np.ascontiguousarray(crop[..., ::-1]), options)[1].tobytes() for crop in crops]


def decode_crops(files: list[bytes]) -> np.ndarray:
    """Returns crops ``(T, S, S, 3)`` uint8 RGB out of at least one JPEG file, all of one size."""
    import cv2

    pictures = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) for file in files]
    return np.ascontiguousarray(np.stack(pictures)[..., ::-1])


def as_kept(track: FaceTrack, quality: int) -> FaceTrack:
    """Returns the track as it would come back from the cache, so that both ways give encoders the same pixels."""
    return track._replace(crops=decode_crops(encode_crops(track.crops, quality)))


def to_record(name: str, track: FaceTrack, quality: int) -> Record:
    """Returns the row of the faces cache that holds a track.

    Args:
        name: clip name
        track: the speaker's face
        quality: JPEG quality, 1 to 100

    Returns:
        groups ``frames`` (time, box, points, probability, size in bytes) and ``jpeg`` (the files end to end)
    """
    files = encode_crops(track.crops, quality)
    ragged = {
        "frames/time": track.times.astype(np.float64),
        "frames/box": track.boxes.astype(np.float32),
        "frames/points": track.points.astype(np.float32),
        "frames/probability": track.probabilities.astype(np.float32),
        "frames/size": np.array([len(file) for file in files], dtype=np.int64),
        "jpeg/bytes": np.frombuffer(b"".join(files), dtype=np.uint8),
    }
    return Record(name, ragged=ragged)


def read_track(cache: "Cache", name: str) -> FaceTrack:
    """Returns a clip's track out of a faces cache.

    Args:
        cache: the faces cache
        name: clip name

    Raises:
        ClipError: the clip has no face; status and reason are the cache's
        UserError: the cache does not hold the clip
    """
    record = cache.clip(name)
    if record.status is not Status.OK:
        raise ClipError(record.status, record.reason)
    fields = record.ragged
    data = fields["jpeg/bytes"].tobytes()
    ends = np.cumsum(fields["frames/size"])
    files = [data[end - size : end] for end, size in zip(ends, fields["frames/size"], strict=True)]
    return FaceTrack(
        crops=decode_crops(files),
        times=fields["frames/time"],
        boxes=fields["frames/box"],
        points=fields["frames/points"],
        probabilities=fields["frames/probability"],
    )
