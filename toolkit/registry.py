"""The smallest registry that works: a dictionary filled by importing every file of one folder."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from toolkit.errors import UserError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things found in the files of a package, so that adding one is adding one file.

    Args:
        noun: what is registered, for messages ("encoder")
        packages: dotted names of the packages whose files register things; imported at the first look-up
    """

    def __init__(self, noun: str, *packages: str) -> None:
        self.noun = noun
        self._packages = packages
        self._items: dict[str, T] = {}
        self._discovered = False

    def add(self, name: str) -> Callable[[T], T]:
        """Returns a decorator that files a thing under ``name``.

        Raises:
            ValueError: another thing has the name already
        """

        def file(item: T) -> T:
            if self._items.setdefault(name, item) is not item:
                raise ValueError(f"two {self.noun}s are called '{name}': {self._items[name]!r} and {item!r}")
            return item

        return file

    def names(self) -> list[str]:
        """Returns every known name, sorted."""
        self._discover()
        return sorted(self._items)

    def get(self, name: str) -> T:
        """Returns the thing of that name.

        Raises:
            UserError: nothing has the name; the message gives the nearest
        """
        self._discover()
        if name not in self._items:
            raise UserError(f"Unknown {self.noun} '{name}'. {did_you_mean(name, self._items)}")
        return self._items[name]

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True  # before the imports, which may look names up themselves
        for package in self._packages:
            folder = importlib.import_module(package)
            for module in pkgutil.iter_modules(folder.__path__):
                importlib.import_module(f"{package}.{module.name}")
