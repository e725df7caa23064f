"""What all encoders with a torch network share: device, precision, batches of pieces, and memory that ends."""

import itertools
import logging
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from feature_extraction.ahead import ahead
from feature_extraction.encoder import Encoder, FrameFeatures
from feature_extraction.gathering import Gathering
from feature_extraction.piece import Piece, arrange
from feature_extraction.spec import EncoderSpec, Level
from toolkit.blocks import let_go
from toolkit.device import (
    exact_convolutions,
    give_back_memory,
    is_want_of_memory,
    must_fit,
    resolve_device,
    usable_cores,
)
from toolkit.errors import ClipError, UserError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

_WINDOW = 8  # batches' worth of pieces looked at together, so that pieces of like length meet; bounds memory
_ON_ACCELERATOR = 16  # times the capacity that fills a processor's cores
# A core computes on padding as slowly as on anything else; an accelerator would rather have few, full batches.
_SLACK_ON_CPU, _SLACK_ON_ACCELERATOR = 1.1, 1.6


class NetworkEncoder(Encoder):
    """A family whose numbers come from a torch network.

    A family says how the network is built, how a clip is cut into pieces, and what the network makes of a batch of
    pieces; what is written here brings pieces of like length together, over all clips given at once, computes them on
    the device in the wanted precision, and puts the rows back in order. Pieces are cut in a thread while the network
    computes, and no more than a few batches of them exist at any time, however long a clip is.

    Attributes:
        capacity: padded length (samples, pictures, tokens) of a batch that keeps a processor busy
        device: torch device

    Args:
        spec: what to compute
        device: as the user typed it
        level: ``utterance`` keeps the mean of a clip's rows only
        trusted: checkpoints whose own code may run, by name

    Raises:
        UserError: no such device, one too small for the network, or the checkpoint is not to be had
    """

    alone = True
    capacity: ClassVar[int]

    def __init__(
        self, spec: EncoderSpec, *, device: str = "cpu", level: Level = "utterance", trusted: Collection[str] = ()
    ) -> None:
        super().__init__(spec, device=resolve_device(device), level=level, trusted=trusted)
        self._limit = self.capacity * (1 if self.device == "cpu" else _ON_ACCELERATOR)
        self._said = False  # that memory ended, which is said once
        network = self.build()
        with must_fit(f"'{spec.name}'", self.device):
            self.network = self.place(network)

    @abstractmethod
    def build(self) -> "torch.nn.Module":
        """Returns the network with its weights, on the CPU, in float32 unless it would not fit so.

        Raises:
            UserError: the checkpoint is not to be had
        """

    @abstractmethod
    def pieces(self, item: Any) -> Iterator[Piece]:
        """Yields the pieces of one clip in order, their kept rows covering it once.

        It runs in a thread beside the network, so it must not touch the network.

        Raises:
            ClipError: the clip is too short, say
        """

    @abstractmethod
    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the rows ``(t, D)`` of each piece, those not kept included, padding removed.

        It runs without gradients. Inputs come to the device by `tensor`.
        """

    @property
    def equal_lengths(self) -> bool:
        """Whether padding would change the numbers, so that only pieces of one length share a batch."""
        return False

    def place(self, network: "torch.nn.Module") -> "torch.nn.Module":
        """Returns the network on the device, in the wanted precision, ready for inference."""
        return network.eval().requires_grad_(False).to(self.device, self.dtype)

    @property
    def dtype(self) -> "torch.dtype":
        """The number type the network computes in."""
        import torch

        return getattr(torch, self.spec.precision)

    def tensor(self, values: np.ndarray) -> "torch.Tensor":
        """Returns an array on the device; floating-point ones in the network's number type."""
        import torch

        tensor = torch.from_numpy(np.ascontiguousarray(values))
        # Never in the background: an Apple GPU would read what is freed by then (pytorch issue 189690).
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def parallel(self, function: Any, items: Iterable[Any]) -> list[Any]:
        """Returns ``function`` of each item; in threads where the network leaves the cores free.

        It pays for functions that release the interpreter's lock: resizing, decoding.
        """
        return list(map(function, items)) if self.device == "cpu" else list(self._pool.map(function, items))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(usable_cores())

    def encode(self, batch: Sequence[Any]) -> list[FrameFeatures | ClipError]:
        """Returns the features of each clip."""
        gatherings = [Gathering(self.level) for _ in batch]
        failures: dict[int, ClipError] = {}
        for window in ahead(self._windows(batch, failures)):
            rows = self._compute([piece for _, piece in window])
            for (clip, piece), values in zip(window, rows, strict=True):
                if piece.times is None:
                    gatherings[clip].summarise(values)
                else:
                    gatherings[clip].add(values, piece.times)
        return [failures.get(clip) or gathering.finish() for clip, gathering in enumerate(gatherings)]

    def _windows(self, batch: Sequence[Any], failures: dict[int, ClipError]) -> Iterator[list[tuple[int, Piece]]]:
        """Yields pieces with the number of their clip, a few batches' worth at a time, in order."""
        window: list[tuple[int, Piece]] = []
        total = 0
        for clip, piece in itertools.chain.from_iterable(
            self._cut(clip, item, failures) for clip, item in enumerate(batch)
        ):
            window.append((clip, piece))
            total += piece.length
            if total >= _WINDOW * self._limit:
                yield window
                window, total = [], 0
        if window:
            yield window

    def _cut(self, clip: int, item: Any, failures: dict[int, ClipError]) -> Iterator[tuple[int, Piece]]:
        try:
            for piece in self.pieces(item):
                yield clip, piece
                _let_go(item)
        except ClipError as error:
            failures[clip] = error

    def _compute(self, pieces: list[Piece]) -> list[np.ndarray]:
        """Returns the kept rows ``(t, D)`` float32 of each piece."""
        import torch

        padded = _SLACK_ON_CPU if self.device == "cpu" else _SLACK_ON_ACCELERATOR
        slack = 1.0 if self.equal_lengths else padded
        lengths = [piece.length for piece in pieces]
        rows: dict[int, np.ndarray] = {}
        with torch.inference_mode(), exact_convolutions():
            for batch in arrange(lengths, capacity=self._limit, slack=slack):
                outputs = self._forward([pieces[index] for index in batch])
                rows |= dict(zip(batch, outputs, strict=True))
        return [rows[index] for index in range(len(pieces))]

    def _forward(self, pieces: list[Piece]) -> list[np.ndarray]:
        """Returns the kept rows of one batch; where the device's memory does not hold it, of its halves."""
        try:
            outputs = zip(pieces, self.forward(pieces), strict=True)
            return [output[piece.keep].float().cpu().numpy() for piece, output in outputs]
        except RuntimeError as error:
            if not is_want_of_memory(error):
                raise
            if len(pieces) == 1:
                raise UserError(
                    f"'{self.spec.name}' does not fit on {self.device}: not even one piece of length "
                    f"{pieces[0].length}. Try --dtype bfloat16, or --device cpu."
                ) from error
        self._shrink(pieces)
        half = len(pieces) // 2
        return self._forward(pieces[:half]) + self._forward(pieces[half:])

    def _shrink(self, pieces: list[Piece]) -> None:
        give_back_memory()
        # Half of what failed, not of the limit: each half of a batch may fail in its turn, and that is nothing new.
        self._limit = min(self._limit, max(piece.length for piece in pieces) * len(pieces) // 2)
        if not self._said:
            self._said = True
            logger.warning(
                "'%s': a batch of %d does not fit on %s; batches are made half as large and the run goes on.",
                self.spec.name, len(pieces), self.device,
            )  # fmt: skip


def _let_go(item: Any) -> None:
    """Gives back the memory of what was read of a long clip, whose samples or crops are mapped from a file."""
    for values in item if isinstance(item, tuple) else ():
        if isinstance(values, np.memmap):
            let_go(values)
        _let_go(values)
