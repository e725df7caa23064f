"""What a search found, as tables, a picture and words."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from baseline.basis import HELD_OUT, Basis, Score
from baseline.importance import Importance, importances
from baseline.run_directory import write_json
from baseline.spread import deviation
from baseline.table_file import write_csv, write_markdown
from baseline.trial import Trial
from baseline.trial_runs import SearchPlan

if TYPE_CHECKING:
    from baseline.reporting.charts import Share

RANKING, IMPORTANCE, SUMMARY = "ranking", "importance", "search.json"
MERIT = "A trial's merit is the mean, over folds and seeds, of what its epochs were chosen by"
NESTED = "That is the score of searching: each fold is predicted by the trial that was best on clips of another fold"


class SearchReport(NamedTuple):
    """What a search found.

    Attributes:
        basis: what its numbers rest on
        plan: how it searched
        order: the trials, the best first
        scores: of what was chosen, by test split or of held-out folds
        best_run: directory of the best trial's run
    """

    basis: Basis
    plan: SearchPlan
    order: Sequence[Trial]
    scores: dict[str, Score]
    best_run: Path

    def write(self, folder: Path) -> None:
        """Writes ranking, importance and summary; the last says that the search is complete."""
        from baseline.reporting.charts import importance_chart  # matplotlib, which nothing before needs

        table, found, columns = ranking_table(self.order), importances(self.order), self.basis.columns
        write_csv(table.assign(**columns), folder / f"{RANKING}.csv")
        write_csv(importance_table(found).assign(**columns), folder / f"{IMPORTANCE}.csv")
        words = [self.basis.sentence, f"{self._draws} {MERIT}.", *score_lines(self.scores)]
        paragraphs = [*words, f"Run of the best: `{self.best_run}`."]
        write_markdown("Trials of a search", paragraphs, table, folder / f"{RANKING}.md")
        reading = "Whiskers: one standard error to either side. Right: mean merit by value."
        caption = f"{self.basis.sentence} {self._draws} {reading}"
        importance_chart([_share(one) for one in found], caption, folder / f"{IMPORTANCE}.svg")
        write_json(self._summary(), folder / SUMMARY)

    @property
    def _draws(self) -> str:
        space = self.plan.space
        spent = ", all there are" if len(self.order) == space.size else f" out of {space.size}"
        how = "at random" if self.plan.sampler == "random" else f"by {self.plan.sampler}, which leans to what did well,"
        failed = sum(not trial.merits for trial in self.order)
        return f"{len(self.order)} combinations{spent}, drawn {how} from the ranges of {space.source}; {failed} failed."

    def _summary(self) -> dict[str, Any]:
        best = self.order[0]
        return {
            "basis": self.basis._asdict(),
            "scores": {place: score._asdict() for place, score in self.scores.items()},
            "best": {"trial": best.number, "settings": best.settings, "merit": best.merit, "run": str(self.best_run)},
            "draws": self._draws,
            "sampler": self.plan.sampler,
            "space": self.plan.space._asdict(),
        }


def ranking_table(order: Sequence[Trial]) -> pd.DataFrame:
    """Returns one row per trial: rank, merit, its deviation over seeds and over folds, settings, why one failed."""
    rows = []
    for rank, trial in enumerate(order, start=1):
        merits = {
            "merit": trial.merit if trial.merits else np.nan,
            "over_seeds": deviation(trial.by_seed),
            "over_folds": deviation(trial.by_fold),
        }
        settings = {option: word(value) for option, value in trial.settings.items()}
        rows.append({"rank": rank, "trial": trial.number, **merits, **settings, "note": trial.note})
    return pd.DataFrame(rows)


def importance_table(found: Sequence[Importance]) -> pd.DataFrame:
    """Returns one row per value of an option, beside the importance of the option."""
    rows = [{**one._asdict(), **value._asdict(), "value": word(value.value)} for one in found for value in one.values]
    columns = ["option", "share", "error", "chance", "value", "trials", "mean", "deviation"]
    return pd.DataFrame(rows, columns=columns)


def score_lines(scores: Mapping[str, Score]) -> list[str]:
    """Returns scores with their intervals in words."""
    lines = [
        f"{place}: {one.value:.4f}, 95 % interval {one.low:.4f} to {one.high:.4f}" for place, one in scores.items()
    ]
    return [*lines, *([f"{NESTED}."] if HELD_OUT in scores else [])]


def summary_lines(folder: Path) -> list[str]:
    """Returns the last lines of a search: its score, its best settings, and where everything is."""
    facts: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    best, basis = facts["best"], Basis(**facts["basis"])
    settings = ", ".join(f"{option} {word(value)}" for option, value in best["settings"].items())
    return [
        facts["draws"],
        f"best, by a merit of {best['merit']:.4f}: {settings}",
        *score_lines({place: Score(**score) for place, score in facts["scores"].items()}),
        basis.sentence,
        *(str(folder / name) for name in (f"{RANKING}.md", f"{RANKING}.csv", f"{IMPORTANCE}.svg")),
        best["run"],
    ]


def word(value: Any) -> str:
    """Returns a value of an option as a table shows it.

    Examples:
        >>> word(1e-5), word(64), word(None)
        ('1e-05', '64', 'none')
    """
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _share(one: Importance) -> "Share":
    from baseline.reporting.charts import Share

    values = ", ".join(f"{word(value.value)}:\N{NO-BREAK SPACE}{value.mean:.3f}" for value in one.values)
    return Share(one.option.partition(".")[2], one.share, one.error, one.chance, values)
