"""Features that were made elsewhere become caches: folders of npy files, npz files, pickles of MMSA."""

from toolkit.cache_import.command import import_lines
from toolkit.cache_import.kinds import open_origin
from toolkit.cache_import.spec import ImportedSpec
from toolkit.cache_import.summary import Summary
from toolkit.cache_import.transfer import import_features

__all__ = ["ImportedSpec", "Summary", "import_features", "import_lines", "open_origin"]
