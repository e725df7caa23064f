"""Fusion of the best few encoders of each modality, best by the validation scores of this corpus."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from baseline.basis import Basis, Score, basis_of, decisive, open_labelled, score_columns
from baseline.config import RunConfig
from baseline.fold_choice import is_nested, train_choices
from baseline.fusion import FUSIONS, Fusion, fusions_of, read_ranking
from baseline.rank import ALL, RANKING, rank, rank_folder
from baseline.spread import deviation
from baseline.study import Study
from baseline.table_file import plain_lines, write_csv, write_markdown
from baseline.trial_log import TrialLog
from toolkit.errors import UserError

logger = logging.getLogger(__name__)

LOG, TABLE = "fusions.jsonl", "fusion"
MOST = 6  # encoders per modality, as in MERTools (MER2024, ``--fusion_topn``)
RANKED_BY = "attention"


def topn(
    config: RunConfig,
    *,
    fusions: Sequence[str] = FUSIONS,
    most: int = MOST,
    ranking: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Trains the fusions of the best 1 to ``most`` encoders per modality; goes on where an earlier call was ended.

    Args:
        config: how networks are trained; its features are taken from the ranking
        fusions: modalities, as letters of `baseline.fusion.MODALITIES`
        most: encoders per modality, at most
        ranking: ``ranking.csv`` of `baseline.rank`; that of `RANKED_BY` with the same folds if absent, made if need be
        overwrite: whether a table with other settings may be replaced

    Returns:
        the folder ``OUT/topn/<track>/<name>``, with ``fusion.csv`` and ``fusion.md``

    Raises:
        UserError: settings, corpus or caches are not as they should be, or the ranking is of something else
    """
    path = _ranking_path(config, ranking)
    table = read_ranking(path)
    wanted = fusions_of(table, fusions, most, folds=sum(column.startswith("fold_") for column in table))
    names = [name for fusion in wanted for names in (fusion.features, *fusion.by_fold) for name in names]
    study = open_labelled(config.model_copy(update={"features": list(dict.fromkeys(names))}))
    basis = basis_of(study)
    _require_same(path, table, basis)
    if not is_nested(study):
        wanted = fusions_of(table, fusions, most)
    folder = config.out / "topn" / config.track / config.model_copy(update={"features": ["all"]}).folder.name
    log = TrialLog(folder / LOG, decisive(config, "features"), overwrite=overwrite)
    logger.info("Fusing the best encoders by %s.", path)
    records = []
    for number, fusion in enumerate(wanted, start=1):
        records.append(_record(study, fusion, log))
        came = records[-1].get("note") or f"validation {np.mean(records[-1]['merits']):.4f}"
        logger.info("%d of %d, %s %d: %s", number, len(wanted), fusion.modalities, fusion.count, came)
    _write(folder, basis, path, wanted, records)
    return folder


def summary_lines(folder: Path) -> list[str]:
    """Returns the last lines: the fusions, what their scores rest on, and where everything is."""
    path = folder / f"{TABLE}.csv"
    table = pd.read_csv(path)
    shown = ["fusion", "n", "encoders", "validation", "score", "low", "high", "note"]
    files = [str(path.with_suffix(suffix)) for suffix in (".md", ".csv")]
    return [*plain_lines(table[shown]), Basis.read(path).sentence, *files]


def _ranking_path(config: RunConfig, ranking: Path | None) -> Path:
    if ranking is not None:
        return ranking
    network = RunConfig.model_fields["network"].default
    own = config.model_copy(update={"features": [ALL], "model": RANKED_BY, "network": network, "name": None})
    path = rank_folder(own) / f"{RANKING}.csv"
    if not path.is_file():
        logger.info("There is no %s yet: first of all each encoder alone, with network %s.", path, RANKED_BY)
        rank(own)
    return path


def _require_same(path: Path, ranking: pd.DataFrame, basis: Basis) -> None:
    """Checks that a ranking is of the same corpus, protocol and folds: others may have chosen by what is scored here.

    Raises:
        UserError: it is not
    """
    for column in ("corpus", "protocol", "folds"):
        before, now = ranking[column].iloc[0], basis.columns[column]
        if before != now:
            raise UserError(
                f"{path} was made with {column} {before}, here it is {now}. Rank again with the same --corpus, "
                "--protocol, --seed, --folds and --group, or leave out --ranking."
            )


def _record(study: Study, fusion: Fusion, log: TrialLog) -> dict[str, Any]:
    """Returns what the log says of a fusion, after training it if the log says nothing."""
    used = {name for names in fusion.by_fold for name in names}
    caches = {name: study.sources[name].cache.identity for name in sorted(used)}
    record = log.records.get(fusion.key)
    if record is None or record["caches"] != caches:
        choices = fusion.by_fold if is_nested(study) else fusion.by_fold * (int(study.folds.max()) + 1)
        try:
            chosen = train_choices(study, choices, study.cross_validate)
        except UserError as error:  # one that diverges must not end all others; it is tried again next time
            return {"note": str(error)}
        log.append({fusion.key: {"merits": chosen.merits, "scores": chosen.scores, "caches": caches}})
    return log.records[fusion.key]


def _write(
    folder: Path, basis: Basis, ranking: Path, fusions: Sequence[Fusion], records: Sequence[dict[str, Any]]
) -> None:
    rows = []
    for fusion, record in zip(fusions, records, strict=True):
        merits = np.array(record.get("merits", np.nan), ndmin=2)
        by_seed = merits.mean(axis=1)
        facts = {"fusion": fusion.modalities, "n": fusion.count, "encoders": "+".join(fusion.features)}
        facts |= {"sets": len(set(fusion.by_fold)), "validation": float(by_seed.mean())}
        facts["over_seeds"] = deviation(by_seed)
        facts |= score_columns({place: Score(*score) for place, score in record.get("scores", {}).items()})
        rows.append(facts | {"note": record.get("note", "")})
    table = pd.DataFrame(rows)
    write_csv(table.assign(**basis.columns), folder / f"{TABLE}.csv")
    text = (
        f"Encoders by the validation scores of `{ranking}`. Where held-out folds are scored, each is predicted by the "
        "encoders that are best on clips of other folds; `sets` says how many different ones that makes, `encoders` "
        "are those that are best over all folds. To choose n by `score` is a choice by the clips that are scored: "
        "choose by `validation`."
    )
    write_markdown("Fusion of the best encoders", [basis.sentence, text], table, folder / f"{TABLE}.md")
