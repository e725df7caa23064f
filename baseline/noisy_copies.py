"""Corrupted copies of a corpus: the same clip names, other sound and picture, caches of their own."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import torch

from baseline.dataset import FeatureSource
from baseline.study import Part, Study
from toolkit.corpus import Corpus, load_corpus
from toolkit.errors import UserError


def training_copy(reference: str, study: Study) -> Part:
    """Returns the clips of a copy whose sources are training clips.

    Raises:
        UserError: no clip has a source there, or the copy has no fitting caches
    """
    copy = labelled_like(load_corpus(reference), study.train)
    return study.part(copy, sources_of(copy, study))


def test_copies(references: Sequence[str], study: Study) -> Part:
    """Returns the clips of some copies whose sources are test clips, with their noise in column ``snr`` (dB).

    Raises:
        UserError: no clip of a copy has a source there, the column is missing, or the copy has no fitting caches
    """
    held_out = [part.corpus.table for part in study.tests.values()]
    held_out = pd.concat(held_out) if held_out else study.corpus.table.iloc[:0]
    tests = study.corpus.only(study.corpus.table["name"].isin(set(held_out["name"]) - set(study.train.table["name"])))
    parts = []
    for reference in references:
        copy = load_corpus(reference)
        if "snr" not in copy.table or not pd.api.types.is_numeric_dtype(copy.table["snr"]):
            expected = "Expected a copy made by `python -m toolkit corrupt`."
            raise UserError(f"Corpus '{copy.name}' has no numbers in a column 'snr'. {expected}")
        copy = labelled_like(copy.only(copy.table["snr"].notna()), tests)
        parts.append(study.part(copy, sources_of(copy, study)))
    examples = parts[0].examples
    for part in parts[1:]:
        examples = examples.join(part.examples)
    table = pd.concat([part.corpus.table for part in parts], ignore_index=True)
    return Part(replace(parts[0].corpus, table=table), examples)


test_copies.__test__ = False  # pytest takes every test_* for a test


def labelled_like(copy: Corpus, source: Corpus) -> Corpus:
    """Returns the clips of a copy that a source has, with the labels, classes and valence range of the source.

    Raises:
        UserError: there is no such clip
    """
    shared = copy.only(copy.table["name"].isin(set(source.table["name"])))
    if not len(shared):
        splits = ", ".join(source.splits) or "that are tested"
        raise UserError(
            f"Corpus '{copy.name}' holds no copy of a clip of '{source.name}' (splits {splits}). A copy has the names "
            "of its source, as `python -m toolkit corrupt` gives them."
        )
    labels = source.table.set_index("name").loc[list(shared.table["name"]), ["emotion", "valence", "openset"]]
    table = shared.table.assign(**{column: labels[column].to_numpy() for column in labels})
    return replace(shared, table=table, emotions=source.emotions, valence=source.valence)


def sources_of(copy: Corpus, study: Study) -> dict[str, FeatureSource]:
    """Returns the caches of a copy, made by the same encoders as those of its source.

    Raises:
        UserError: a cache is not there, was made with other settings, or is that of the source
    """
    root = next(iter(study.sources.values())).cache.path.parents[2]
    own = study.reading.open(root, copy, list(study.sources))
    for key, source in own.items():
        if source.cache.path == study.sources[key].cache.path:
            raise UserError(f"The corrupted copy is called '{copy.name}' like its source. Give it a name of its own.")
        source.cache.expect(study.sources[key].cache.identity)
    return own


def at_level(part: Part, level: int) -> Part:
    """Returns the clips whose signal-to-noise ratio, rounded, is so many dB."""
    rows = part.corpus.table["snr"].round() == level
    mask = torch.tensor(rows.to_numpy()).to(part.examples.targets.valence.device)
    return Part(part.corpus.only(rows), part.examples.take(mask))
