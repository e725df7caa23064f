"""What can become of one clip: the statuses that caches, summaries and ``failures.csv`` speak of."""

from enum import StrEnum


class Status(StrEnum):
    """The outcome of one clip under one encoder; everything but ``ok`` is a failure with a reason."""

    OK = "ok"
    MISSING = "missing"  # the corpus names a file that is not there
    UNREADABLE = "unreadable"  # the file is there and cannot be decoded to its end
    NO_VIDEO = "no_video"  # no picture stream, or the corpus names no video
    NO_AUDIO = "no_audio"  # no sound stream, or the corpus names neither audio nor video
    SILENT = "silent"  # the sound is digital silence, or so faint that nothing can be measured
    TOO_SHORT = "too_short"  # less sound or picture than the encoder's window
    NO_FACE = "no_face"  # no frame shows a face
    EMPTY_TEXT = "empty_text"  # no transcript, or only blanks
    NOT_FINITE = "not_finite"  # the encoder gave NaN or infinity
    ERROR = "error"  # an unforeseen exception in reading or encoding it; the log has the traceback
