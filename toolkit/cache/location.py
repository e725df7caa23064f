"""Where caches stand: by corpus, modality, encoder and level of detail."""

from pathlib import Path

from toolkit.errors import UserError


def cache_path(root: Path, corpus: str, modality: str, name: str, level: str = "utterance") -> Path:
    """Returns where the cache of one corpus, encoder and level of detail stands."""
    return root / corpus / modality / f"{name}{'.frames' if level == 'frame' else ''}.h5"


def find_cache(root: Path, corpus: str, encoder: str) -> Path:
    """Returns an encoder's cache in whichever modality folder it stands, the frame-level one if there is no other.

    Raises:
        UserError: there is none, or several
    """
    for suffix in (".h5", ".frames.h5"):
        found = sorted(path for path in (root / corpus).glob(f"*/{encoder}{suffix}") if path.parent.name != "faces")
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"Several caches are called '{encoder}': {', '.join(map(str, found))}. Keep one.")
    known = sorted({path.name.split(".")[0] for path in (root / corpus).glob("*/*.h5") if path.parent.name != "faces"})
    raise UserError(
        f"No cache of '{encoder}' for corpus '{corpus}' under {root}; there is: {', '.join(known) or 'none'}. Make it "
        f"with `python -m feature_extraction audio|visual|text --corpus REF --encoder {encoder} --cache {root}`."
    )
