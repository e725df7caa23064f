"""What libraries raise of a file that is cut off, damaged, of another kind, or larger than the memory."""

import lzma
import struct
import zipfile
import zlib
from tokenize import TokenError

# zipfile and numpy of an npz file; OSError is also that of a file that cannot be opened.
NPZ = (
    ValueError, TypeError, LookupError, OverflowError, SyntaxError, TokenError, EOFError, OSError, RuntimeError,
    MemoryError, struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
