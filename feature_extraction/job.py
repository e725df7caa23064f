"""One encoder at work on one corpus: what it is made of, which caches it fills, how material becomes records."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from feature_extraction.identity import Identified
from feature_extraction.source import Source
from feature_extraction.spec import Level
from toolkit.cache import Header, Record
from toolkit.corpus import Corpus
from toolkit.device import give_back_memory
from toolkit.errors import UserError


class Target(NamedTuple):
    """A cache to be made.

    Attributes:
        path: the file
        header: its attributes
        level: ``utterance`` for one vector per clip, ``frame`` for the frames too
    """

    path: Path
    header: Header
    level: Level = "utterance"


class Job(ABC):
    """An encoder and the caches it fills; it travels to worker processes, so it builds what is heavy there.

    Attributes:
        modality: ``audio``, ``visual``, ``text`` or ``faces``
        name: name of the encoder or detector
        targets: the caches
        alone: whether it fills the device alone, so that processes side by side do not pay
    """

    modality: str
    name: str
    targets: list[Target]
    alone: bool = False

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.modality}/{self.name}"

    @abstractmethod
    def build(self) -> Any:
        """Returns what encodes.

        Raises:
            UserError: something is not installed, a checkpoint is missing, or there is no such device
        """

    @cached_property
    def encoder(self) -> Any:
        """What encodes, built once per process.

        Raises:
            UserError: see `build`
            RuntimeError: a library ended in an error of the system, the cause
        """
        try:
            return self.build()
        except UserError:
            raise
        except OSError as error:
            raise RuntimeError(f"{self.label} cannot be built: {error}") from error

    def release(self) -> None:
        """Lets go of what encodes, and of the memory it takes."""
        self.__dict__.pop("encoder", None)
        give_back_memory()

    @abstractmethod
    def encode(self, items: Sequence[Any], source: Source) -> list[Any]:
        """Returns what becomes of a batch of material, a `ClipError` for a clip that cannot be encoded."""

    @abstractmethod
    def record(self, name: str, result: Any, target: Target) -> Record:
        """Returns a clip's record in one of the caches.

        Args:
            name: clip name
            result: what `encode` gave, no `ClipError`
            target: the cache
        """

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "encoder"}


def header_of(corpus: Corpus, spec: Identified) -> Header:
    """Returns the attributes of a cache of ``spec`` for ``corpus``."""
    return Header(corpus.name, spec.to_json(), spec.identity, root=str(corpus.root.resolve()))
