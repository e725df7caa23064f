"""Which tokens of a clip or a spectrogram are hidden."""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from toolkit.models.transfer import sent


class Shuffler(Protocol):
    """What chance is taken from: a ``numpy.random.Generator``, or a ``RandomState`` as the authors' code has it."""

    def shuffle(self, x: Any, /) -> None:
        """Puts an array into another order, in place."""

    def random(self) -> float:
        """Returns a number in [0, 1)."""


class Tube(NamedTuple):
    """The same random sites of every picture are hidden (Tong et al. 2022).

    Attributes:
        ratio: share of the sites hidden, rounded down to whole ones
    """

    ratio: float = 0.9

    def draw(self, grid: Sequence[int], chance: Shuffler) -> np.ndarray:
        """Returns ``(time * height * width)`` booleans, true where hidden."""
        steps, rows, columns = grid
        return np.tile(_drawn(rows * columns, int(self.ratio * rows * columns), chance), steps)


class Windows(NamedTuple):
    """A `Tube` for each window of full rows, so that each shows as many sites (Sun et al. 2023, MAE-DFER).

    As a face is symmetric, what is seen may all be on one side of it, which the recipe leaves off.

    Attributes:
        ratio: share of a window's sites hidden, rounded down to whole ones
        rows: height of a window
        one_side: sites are seen in a random half of the picture ("picture"), or of each window for itself ("window");
            None for no such rule
    """

    ratio: float = 0.9
    rows: int = 5
    one_side: Literal["picture", "window"] | None = None

    def draw(self, grid: Sequence[int], chance: Shuffler) -> np.ndarray:
        """Returns ``(time * height * width)`` booleans, true where hidden.

        Raises:
            ValueError: the grid's height does not consist of whole windows
        """
        steps, rows, columns = grid
        if rows % self.rows:
            raise ValueError(f"{rows} rows of tokens cannot be cut into windows of {self.rows}")
        width = columns if self.one_side is None else columns // 2
        masked = int(self.ratio * self.rows * columns) - self.rows * (columns - width)
        left = self.one_side == "picture" and chance.random() < 0.5
        windows = []
        for _ in range(rows // self.rows):
            window = _drawn(self.rows * width, masked, chance).reshape(self.rows, width)
            if self.one_side == "window":
                left = chance.random() < 0.5
            hidden = np.ones((self.rows, columns - width), bool)
            windows.append(np.hstack([window, hidden] if left else [hidden, window]))
        return np.tile(np.concatenate(windows).ravel(), steps)


class Scattered(NamedTuple):
    """Random cells of a grid are hidden, as HiCMAE does with spectrograms (Sun et al. 2024).

    Attributes:
        ratio: share of the cells hidden, rounded down to whole ones
    """

    ratio: float = 0.8

    def draw(self, grid: Sequence[int], chance: Shuffler) -> np.ndarray:
        """Returns as many booleans as the grid has cells, true where hidden."""
        cells = math.prod(grid)
        return _drawn(cells, int(self.ratio * cells), chance)


Mask = Tube | Windows | Scattered


def _drawn(cells: int, masked: int, chance: Shuffler) -> np.ndarray:
    """Returns ``masked`` true values among ``cells``; false ones stand first before the shuffle, as the authors' do."""
    mask = np.arange(cells) >= cells - masked
    chance.shuffle(mask)
    return mask


def draw(mask: Mask, grid: Sequence[int], batch: int, chance: Shuffler) -> Tensor:
    """Returns a mask for each clip of a batch, ``(batch, tokens)``, true where hidden."""
    return torch.from_numpy(np.stack([mask.draw(grid, chance) for _ in range(batch)]))


class Split(NamedTuple):
    """Where the tokens of each clip are that are seen and that are hidden, each in their order.

    Attributes:
        visible: ``(batch, visible)`` indices
        masked: ``(batch, masked)`` indices
    """

    visible: Tensor
    masked: Tensor

    @classmethod
    def of(cls, mask: Tensor, device: torch.device) -> "Split":
        """Returns the indices of a mask.

        They are counted where the mask is: if that is the CPU, nothing waits for an accelerator.

        Args:
            mask: ``(batch, tokens)`` booleans, true where hidden
            device: where the indices are wanted

        Raises:
            ValueError: not as many tokens are hidden in every clip
        """
        hidden = mask.sum(dim=1).tolist()
        if len(set(hidden)) != 1:
            raise ValueError(f"a mask hides as many tokens of every clip, but these hide {hidden}")
        order = sent(mask.to(torch.uint8).argsort(dim=1, stable=True), device)
        return cls(*order.split([mask.shape[1] - hidden[0], hidden[0]], dim=1))


def taken(tokens: Tensor, indices: Tensor) -> Tensor:
    """Returns some tokens of each clip, ``(batch, some, dim)``.

    Args:
        tokens: ``(batch, tokens, dim)``
        indices: ``(batch, some)``
    """
    # By rows: `take_along_dim` makes an index of every number.
    return tokens[torch.arange(len(tokens), device=tokens.device)[:, None], indices]
