"""The command ``toolkit cache import``: from what the user typed to what is printed."""

from pathlib import Path

from toolkit.cache_import.kinds import open_origin
from toolkit.cache_import.labels import write_labels
from toolkit.cache_import.origin import Level
from toolkit.cache_import.spec import ImportedSpec, Modality
from toolkit.cache_import.transfer import import_features
from toolkit.corpus import load_corpus


def import_lines(
    source: Path,
    reference: str,
    cache_root: Path,
    *,
    modality: Modality,
    encoder: str,
    level: Level | None = None,
    key: str | None = None,
    rate: float | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Makes a cache of features from elsewhere and returns what there is to say of it.

    The labels of a corpus that is read out of a pickle (``mmsa:FILE.pkl``) are written beside its caches, so that no
    later command has to read all of the pickle for them.

    Args:
        source: folder or file with the features
        reference: the corpus
        cache_root: folder of all caches
        modality: of the features
        encoder: name they get
        level: what to keep, as the source has it if absent
        key: array of a file, the modality's usual one if absent
        rate: frames per second, in Hz
        overwrite: replaces a cache that is there already

    Raises:
        UserError: a mistake of the user, see `import_features` and `open_origin`
    """
    corpus = load_corpus(reference)
    origin = open_origin(source, modality, key)
    spec = ImportedSpec(
        name=encoder,
        modality=modality,
        checkpoint=f"imported:{origin.path.name}",
        kind=origin.kind,
        key=origin.key,
        frame_rate=rate,
    )
    lines = import_features(origin, corpus, spec, cache_root, level=level, overwrite=overwrite).lines()
    if reference.startswith("mmsa:"):
        labels = write_labels(corpus, cache_root / corpus.name)
        lines.append(f"labels: {labels}; name it as --corpus from now on, and the pickle is not read again")
    return lines
