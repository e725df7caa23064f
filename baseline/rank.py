"""The ranking of encoders: every cache of a corpus, each alone."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from baseline.basis import Basis, Score, basis_of, decisive, open_labelled, score_columns
from baseline.config import RunConfig
from baseline.dataset import coverage
from baseline.fold_choice import train_choices
from baseline.reading import reading_of
from baseline.spread import deviation
from baseline.study import Study
from baseline.table_file import plain_lines, write_csv, write_markdown
from baseline.trial_log import TrialLog
from toolkit.corpus import Corpus, load_corpus
from toolkit.errors import UserError
from toolkit.status import Status

logger = logging.getLogger(__name__)

LOG, RANKING = "encoders.jsonl", "ranking"
_COUNTS = ("rank", "dim", "failed", "clips")
ALL = "*"  # in place of the features: every cache of the corpus
VALIDATION = (
    "`validation` ranks: the mean, over folds and seeds, of what the epochs were chosen by; `over_seeds` is its "
    "standard deviation. `score` is of the first clips that are scored, with the 95 % bootstrap interval."
)


class RankedEncoder(NamedTuple):
    """An encoder alone.

    Attributes:
        encoder: its name
        modality: folder of its cache
        dim: of its features
        merits: ``(seeds, folds)`` what the epoch of each network was chosen by
        scores: by test split, or of held-out folds where there is none
        failed: clips that it has no features of
        clips: all clips that were looked at
    """

    encoder: str
    modality: str
    dim: int
    merits: list[list[float]]
    scores: dict[str, Score]
    failed: int
    clips: int

    @property
    def validation(self) -> float:
        """Mean over seeds and folds."""
        return float(np.mean(self.merits))

    @property
    def over_seeds(self) -> float:
        """Standard deviation over the seeds, NaN of a single one."""
        return deviation(np.mean(self.merits, axis=1))


def rank(config: RunConfig, *, overwrite: bool = False) -> Path:
    """Ranks encoders by validation scores; goes on where an earlier ranking of the same was ended.

    A cache that cannot be used is left out, with the reason in the table. One that was extracted anew is ranked anew.

    Args:
        config: how networks are trained; ``features`` are the encoders, `ALL` for every cache of the corpus
        overwrite: whether a ranking with other settings may be replaced

    Returns:
        the folder ``OUT/rank/<track>/<name>``, with ``ranking.csv``, ``ranking.md`` and ``ranking.svg``

    Raises:
        UserError: settings or corpus are not as they should be, or no cache can be used
    """
    encoders = encoders_of(config)
    folder = rank_folder(config)
    log = TrialLog(folder / LOG, decisive(config, "features"), overwrite=overwrite)
    corpus, notes = load_corpus(config.corpus), dict[str, str]()
    for number, encoder in enumerate(encoders, start=1):
        try:
            record = _record(config, corpus, encoder, log)
        except UserError as error:  # one cache that is not complete must not end the ranking of all others
            notes[encoder] = str(error)
            logger.warning("%d of %d, %s: %s", number, len(encoders), encoder, error)
            continue
        entry = _entry(record)
        logger.info("%d of %d, %s: validation %.4f", number, len(encoders), encoder, entry.validation)
    if len(notes) == len(encoders):
        raise UserError(f"None of {len(encoders)} caches can be ranked. {encoders[0]}: {notes[encoders[0]]}")
    records = [log.records[encoder] for encoder in encoders if encoder not in notes]
    entries = sorted(map(_entry, records), key=lambda entry: (-entry.validation, entry.encoder))
    _write(folder, Basis(**records[0]["basis"]), entries, notes)
    return folder


def encoders_of(config: RunConfig) -> list[str]:
    """Returns the encoders to be ranked.

    Raises:
        UserError: the corpus has no cache
    """
    if config.features != [ALL]:
        return config.features
    corpus = load_corpus(config.corpus)
    folders = (
        dict.fromkeys(corpus.table["corpus"]) if "source_name" in corpus.table else (corpus.name,)
    )  # of a pair: two
    found = (path for folder in folders for path in (config.cache / folder).glob("*/*.h5"))
    paths = [path for path in found if path.parent.name != "faces"]
    names = sorted({path.name.removesuffix(".h5").removesuffix(".frames") for path in paths})
    if not names:
        raise UserError(
            f"Corpus '{corpus.name}' has no cache under {config.cache}. Make some with `python -m feature_extraction "
            f"audio|visual|text|audiovisual --corpus REF --encoder NAME --cache {config.cache}`."
        )
    return names


def rank_folder(config: RunConfig) -> Path:
    """Returns where a ranking goes."""
    return config.out / "rank" / config.track / config.model_copy(update={"features": ["all"]}).folder.name


def summary_lines(folder: Path) -> list[str]:
    """Returns the last lines of a ranking: the encoders, what their scores rest on, and where everything is."""
    path = folder / f"{RANKING}.csv"
    table = pd.read_csv(path, dtype={"encoder": str, **dict.fromkeys(_COUNTS, "Int64")})
    shown = ["rank", "encoder", "modality", "validation", "score", "low", "high", "failed", "note"]
    files = [str(path.with_suffix(suffix)) for suffix in (".md", ".csv", ".svg")]
    return [*plain_lines(table[shown]), Basis.read(path).sentence, *files]


def _record(config: RunConfig, corpus: Corpus, encoder: str, log: TrialLog) -> dict[str, Any]:
    """Returns what the log says of an encoder, after training it if the log says nothing."""
    identity = reading_of(config, corpus).open(config.cache, corpus, [encoder])[encoder].cache.identity
    record = log.records.get(encoder)
    if record is None or record["identity"] != identity:
        study = open_labelled(config.model_copy(update={"features": [encoder]}))
        facts = _trained(study, encoder)._asdict() | {"identity": identity, "basis": basis_of(study)._asdict()}
        log.append({encoder: facts})
    return log.records[encoder]


def _trained(study: Study, encoder: str) -> RankedEncoder:
    folds = int(study.folds.max()) + 1
    chosen = train_choices(study, [encoder] * folds, lambda _: study.cross_validate())
    names = [*study.train.table["name"], *(name for part in study.tests.values() for name in part.names)]
    counts = coverage(study.sources, names)[encoder]
    modality, dim = study.sources[encoder].modality, study.training.inputs.dims[encoder]
    failed = sum(count for status, count in counts.items() if status != Status.OK)
    return RankedEncoder(encoder, modality, dim, chosen.merits, chosen.scores, failed, len(names))


def _entry(record: dict[str, Any]) -> RankedEncoder:
    facts = {field: record[field] for field in RankedEncoder._fields}
    return RankedEncoder(**facts | {"scores": {place: Score(*score) for place, score in record["scores"].items()}})


def _write(folder: Path, basis: Basis, entries: Sequence[RankedEncoder], notes: dict[str, str]) -> None:
    from baseline.reporting.charts import Bar, ranking_chart  # matplotlib, which nothing before needs

    left_out = pd.DataFrame({"encoder": list(notes), "note": list(notes.values())})
    table = pd.concat([_table(entries), left_out], ignore_index=True).astype(dict.fromkeys(_COUNTS, "Int64"))
    folds = np.array([np.mean(entry.merits, axis=0) for entry in entries])  # (encoders, folds)
    by_fold = pd.DataFrame({f"fold_{number}": column for number, column in enumerate(folds.T)})
    write_csv(pd.concat([table, by_fold], axis=1).assign(**basis.columns), folder / f"{RANKING}.csv")
    write_markdown("Encoders, each alone", [basis.sentence, VALIDATION], table, folder / f"{RANKING}.md")
    bars = [Bar(e.encoder, e.modality, e.validation, e.over_seeds, *next(iter(e.scores.values()))) for e in entries]
    ranking_chart(bars, basis.score_name, basis.sentence, folder / f"{RANKING}.svg")


def _table(entries: Sequence[RankedEncoder]) -> pd.DataFrame:
    rows = []
    for place, entry in enumerate(entries, start=1):
        facts = {"rank": place, "encoder": entry.encoder, "modality": entry.modality, "dim": entry.dim}
        merits = {"validation": entry.validation, "over_seeds": entry.over_seeds}
        rows.append(
            facts | merits | score_columns(entry.scores) | {"failed": entry.failed, "clips": entry.clips, "note": ""}
        )
    return pd.DataFrame(rows)
