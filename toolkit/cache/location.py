"""Where caches stand: by corpus, modality, encoder and level of detail."""

from glob import escape
from pathlib import Path

from toolkit.errors import UserError


def cache_path(root: Path, corpus: str, modality: str, name: str, level: str = "utterance") -> Path:
    """Returns where the cache of one corpus, encoder and level of detail stands."""
    return root / corpus / modality / f"{name}{_suffix(level)}"


def find_cache(root: Path, corpus: str, encoder: str, level: str = "utterance") -> Path:
    """Returns an encoder's cache in whichever modality folder it stands.

    A frame-level cache has the utterance vectors too, and is read for them where there is no other.

    Args:
        root: folder of the caches
        corpus: corpus name
        encoder: encoder name
        level: ``utterance`` or ``frame``

    Raises:
        UserError: there is none, or several
    """
    levels = ("frame",) if level == "frame" else ("utterance", "frame")
    for suffix in map(_suffix, levels):
        places = (root / corpus).glob(f"*/{escape(encoder)}{suffix}")
        found = sorted(path for path in places if path.parent.name != "faces")
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"Several caches are called '{encoder}': {', '.join(map(str, found))}. Keep one.")
    there = (path for path in (root / corpus).glob(f"*/*{_suffix(levels[0])}") if path.parent.name != "faces")
    known = sorted({path.name.removesuffix(".h5").removesuffix(".frames") for path in there})
    what, option = (f"frames of '{encoder}'", " --level frame") if level == "frame" else (f"'{encoder}'", "")
    raise UserError(
        f"No cache of {what} for corpus '{corpus}' under {root}; there is: {', '.join(known) or 'none'}. Make it with "
        f"`python -m feature_extraction audio|visual|text|audiovisual --corpus REF --encoder {encoder}{option} "
        f"--cache {root}`."
    )


def _suffix(level: str) -> str:
    return ".frames.h5" if level == "frame" else ".h5"
