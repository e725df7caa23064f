"""Which network learns from which clips: the folds of a run as lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from baseline.dataset import Examples
from baseline.lesson import Lesson
from baseline.task import Task
from baseline.trainer import Fit, Job, fit_all
from toolkit.errors import UserError

if TYPE_CHECKING:
    from baseline.crossvalidation import Recipe


@dataclass(frozen=True, eq=False)
class Syllabus:
    """The training clips of a run in folds.

    Attributes:
        examples: training clips
        folds: ``(clips,)`` fold numbers from 0; -1 for clips that are in training whichever fold is held out
        task: what is learnt
        additions: more training clips by fold; never held out
    """

    examples: Examples
    folds: np.ndarray
    task: Task
    additions: Mapping[int, Examples]

    def fit(self, recipes: "Sequence[Recipe]", *, finish: bool = True) -> list[list[Fit]]:
        """Trains one network per recipe and fold, all side by side.

        Args:
            recipes: how
            finish: whether networks whose epoch was chosen on another fold are trained anew with that fold; those that
                chose it are returned otherwise, which say as much about the recipe for half of the work

        Returns:
            per recipe one fit per fold

        Raises:
            UserError: a fold leaves nothing to learn from
        """
        lessons: dict[tuple[Any, ...], Lesson] = {}

        def job(recipe: "Recipe", fold: int, how: str, epochs: int | None = None) -> Job:
            key = (fold, recipe.seed, recipe.training.normalise, recipe.valence_range, how)
            if key not in lessons:
                lessons[key] = self._lesson(*key)
            settings = recipe.training if epochs is None else recipe.training.model_copy(update={"epochs": epochs})
            sizes = {"inputs": self.examples.inputs.dims, "classes": self.task.outputs}
            return Job(lessons[key], recipe.network | sizes, settings)

        pairs = [(recipe, fold) for recipe in recipes for fold in range(self.count)]
        fits = fit_all([job(recipe, fold, recipe.select) for recipe, fold in pairs], self.task)
        if finish:
            inner = [number for number, (recipe, _) in enumerate(pairs) if recipe.select == "inner"]
            anew = fit_all([job(*pairs[number], "last", fits[number].epoch) for number in inner], self.task)
            for number, one in zip(inner, anew, strict=True):  # what chose the epoch is what may choose among recipes
                fits[number] = one._replace(merit=fits[number].merit)
        return [fits[start : start + self.count] for start in range(0, len(fits), self.count)]

    @property
    def count(self) -> int:
        """Number of folds."""
        return int(self.folds.max()) + 1

    @cached_property
    def learnable(self) -> np.ndarray:
        """``(clips,)`` boolean, true where a clip has a feature and something to learn."""
        return (self.examples.inputs.usable & self.task.known(self.examples.targets)).cpu().numpy()

    @cached_property
    def pools(self) -> list[Examples]:
        """The clips that the networks of each fold may see, those of ``examples`` first."""
        more = [self.additions.get(fold) for fold in range(self.count)]
        return [self.examples if some is None else self.examples.join(some) for some in more]

    def _lesson(self, fold: int, seed: int, normalise: bool, valence_range: tuple[float, float], how: str) -> Lesson:
        inside = self.folds == fold
        # Balanced by class and free of split groups, as any fold is.
        inner = self.folds == (fold + 1) % self.count if how == "inner" else np.zeros_like(inside)
        valid = {"fold": inside, "inner": inner, "last": None}[how]
        pool, taught = self.pools[fold], ~inside & ~inner & self.learnable
        train = self._rows(np.concatenate([taught, np.ones(len(pool) - len(taught), bool)]))
        if not self.task.known(pool.targets.take(train)).any():
            raise UserError(
                f"Fold {fold} leaves nothing to learn from: no clip outside of it has both a label and one of the "
                f"features {', '.join(pool.inputs.values)}. Label more clips, or use other features or folds."
            )
        own_seed = int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])
        chosen = None if valid is None else self._rows(valid & self.learnable)
        return Lesson(pool, train, chosen, own_seed, normalise, valence_range)

    def _rows(self, chosen: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.flatnonzero(chosen)).to(self.examples.targets.valence.device)
