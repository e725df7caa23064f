"""How long a media file says it is, read from the container's own structure: the exact test for a file cut short.

FFmpeg plays what is left of a truncated file and reports nothing in several formats; the outermost lengths that
MP4/MOV (ISO/IEC 14496-12, 4.2), Matroska/WebM (RFC 8794, 6; RFC 9559, 5) and RIFF (WAV, AVI) write down tell.
"""

import struct
from pathlib import Path
from typing import BinaryIO

_BOXES = {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"free", b"skip", b"wide", b"udta", b"uuid"}
_SEGMENT = b"\x18\x53\x80\x67"


def declared_size(path: Path) -> int | None:
    """Returns the bytes that a file must have by its own word, ``None`` where its format or writer does not say.

    Args:
        path: any file
    """
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head[4:8] in _BOXES:
            return _boxes(file)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _matroska(file)
        if head[:4] == b"RIFF" and head[8:12] in {b"WAVE", b"AVI "}:
            return _riff(head)
    return None


def _boxes(file: BinaryIO) -> int | None:
    """Walks the outermost boxes; stops at the first that is none, since many writers leave something behind."""
    end = 0
    while True:
        file.seek(end)
        head = file.read(16)
        if len(head) < 8 or head[4:8] not in _BOXES:
            return end
        size = struct.unpack(">I", head[:4])[0]
        if size == 1 and len(head) == 16:
            size = struct.unpack(">Q", head[8:])[0]
        if size < 8:  # zero: to the end of the file
            return None
        end += size


def _matroska(file: BinaryIO) -> int | None:
    file.seek(4)
    header = _number(file)
    if header is None:
        return None
    file.seek(file.tell() + header)
    if file.read(4) != _SEGMENT:
        return None
    size = _number(file)
    return None if size is None else file.tell() + size


def _number(file: BinaryIO) -> int | None:
    """Returns the variable-length number at the file's position, ``None`` for "unknown" (all ones)."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + file.read(more), "big")
    return None if value == 2 ** (7 * (more + 1)) - 1 else value


def _riff(head: bytes) -> int | None:
    """Returns the size in a RIFF header, less the last chunk's pad byte, which some writers count and leave out.

    Recorders that could not go back to the header leave nothing there, or something near 2 or 4 GiB.
    """
    size = struct.unpack("<I", head[4:8])[0]
    return 7 + size if 0 < size < 0x7FFF0000 else None
