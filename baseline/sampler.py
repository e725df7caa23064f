"""Which settings are tried: random draws, or the samplers of Optuna, which look at what came of the ones before."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.errors import UserError
from toolkit.seeds import generator_for

Settings = dict[str, Any]
BATCH = 10  # draws that Optuna makes before it hears of them, so that they train side by side


class Sampler(ABC):
    """A source of settings; the same seed and the same merits give the same settings."""

    @abstractmethod
    def ask(self, most: int) -> list[Settings]:
        """Returns the next settings, up to so many; none where nothing is left to draw."""

    def tell(self, merits: Sequence[float]) -> None:  # noqa: B027 - those that draw blindly need not hear
        """Hears what came of the settings asked for last, minus infinity where nothing did."""


class RandomSampler(Sampler):
    """Draws each option on its own, every value as likely as any other, all draws at once.

    MERTools draws anew in each process and so repeats itself: of 50 draws from the 24 combinations of ``attention``
    about 21 differ. Here no combination is drawn twice. The first draws of a longer search are those of a shorter one.

    Args:
        ranges: values by option
        seed: of the draws
    """

    def __init__(self, ranges: Mapping[str, Sequence[Any]], seed: int) -> None:
        self._ranges = ranges
        self._generator = generator_for(seed, "search")
        self._size = math.prod(map(len, ranges.values()))
        self._drawn: set[tuple[int, ...]] = set()

    def ask(self, most: int) -> list[Settings]:
        """Returns as many as are wanted, or as are left."""
        asked: list[Settings] = []
        while len(asked) < most and len(self._drawn) < self._size:
            places = tuple(int(self._generator.integers(len(values))) for values in self._ranges.values())
            if places not in self._drawn:
                self._drawn.add(places)
                pairs = zip(self._ranges.items(), places, strict=True)
                asked.append({option: values[place] for (option, values), place in pairs})
        return asked


class OptunaSampler(Sampler):
    """Draws as a sampler of Optuna does (Akiba et al. 2019, arXiv:1907.10902), `BATCH` at a time.

    Args:
        name: of `SAMPLERS`
        ranges: values by option
        seed: of the draws

    Raises:
        UserError: Optuna is not installed
    """

    def __init__(self, name: str, ranges: Mapping[str, Sequence[Any]], seed: int) -> None:
        try:
            import optuna
        except ImportError:
            raise UserError(
                f"The sampler '{name}' needs optuna, which is not installed. Install it with "
                '`pip install -c constraints.txt -e ".[optuna]"`, or use --sampler random.'
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._ranges = {option: optuna.distributions.CategoricalDistribution(v) for option, v in ranges.items()}
        self._study = optuna.create_study(direction="maximize", sampler=_OPTUNA[name](optuna.samplers, seed))
        self._asked: list[Any] = []

    def ask(self, most: int) -> list[Settings]:
        """Returns one batch; a combination may come again."""
        self._asked = [self._study.ask(self._ranges) for _ in range(min(most, BATCH))]
        return [{option: trial.params[option] for option in self._ranges} for trial in self._asked]

    def tell(self, merits: Sequence[float]) -> None:
        """Hears of the batch."""
        failed = self._optuna.trial.TrialState.FAIL
        for trial, merit in zip(self._asked, merits, strict=True):
            if math.isfinite(merit):
                self._study.tell(trial, merit)
            else:
                self._study.tell(trial, state=failed)


# The parzen estimators (Bergstra et al. 2011), told apart within a batch by pretending that those still in training did
# badly; a Gaussian process; a genetic algorithm (Deb et al. 2002) with one generation per batch.
_OPTUNA: dict[str, Callable[[Any, int], Any]] = {
    "tpe": lambda samplers, seed: samplers.TPESampler(seed=seed, constant_liar=True),
    "gp": lambda samplers, seed: samplers.GPSampler(seed=seed),
    "nsgaii": lambda samplers, seed: samplers.NSGAIISampler(seed=seed, population_size=BATCH),
}
SAMPLERS = ("random", *_OPTUNA)


def make_sampler(name: str, ranges: Mapping[str, Sequence[Any]], seed: int) -> Sampler:
    """Returns a sampler at its start.

    Args:
        name: of `SAMPLERS`
        ranges: values by option
        seed: of the draws

    Raises:
        UserError: the sampler is one of Optuna's, which is not installed
    """
    return RandomSampler(ranges, seed) if name == "random" else OptunaSampler(name, ranges, seed)
