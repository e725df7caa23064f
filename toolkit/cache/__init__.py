"""The HDF5 feature cache: read, write, merge, verify. One file per corpus, encoder and level of detail."""

from toolkit.cache.location import cache_path, find_cache
from toolkit.cache.merge import merge
from toolkit.cache.reader import Cache
from toolkit.cache.record import FORMAT, Header, Record
from toolkit.cache.verify import describe, verify
from toolkit.cache.writer import CacheWriter

__all__ = [
    "FORMAT",
    "Cache",
    "CacheWriter",
    "Header",
    "Record",
    "cache_path",
    "describe",
    "find_cache",
    "merge",
    "verify",
]
