"""Pickles that cannot run code: arrays, numbers, words and containers come out, anything else is refused by name."""

import io
import math
import pickle
import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from toolkit.errors import UserError

NUMBER_TYPES = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|c8|c16|[SU]\d*|O8?)")
OLD_NAMES = {  # of Python 2 and of NumPy before 2
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}
DAMAGE = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, ImportError, OverflowError,
    BufferError, MemoryError,
)  # fmt: skip


def read_pickle(path: Path) -> Any:
    """Returns what a pickle file holds, as `load_pickle`.

    Raises:
        UserError: no such file, or as `load_pickle`
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Expected a pickle file.") from None
    with stream:
        return load_pickle(stream, path)


def load_pickle(source: BinaryIO | bytes, path: Path) -> Any:
    """Returns what a pickle of any protocol, of Python 2 or 3, holds, and runs nothing that it asks for.

    Admitted are numbers, words, bytes, lists, tuples, dictionaries (ordered ones too), sets, and numpy arrays and
    scalars of booleans, integers, floats, complex numbers, words, bytes and admitted objects. Arrays may be of a
    subclass of numpy's that differs only in how it was restored; ``numpy.asarray`` gives the plain one.

    Args:
        source: the bytes, or a stream that stands at their start
        path: file to name in errors

    Raises:
        UserError: the pickle asks for anything else, or is damaged
    """
    try:
        return _Unpickler(io.BytesIO(source) if isinstance(source, bytes) else source, path).load()
    except DAMAGE as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
        raise UserError(f"{path} is damaged, or no pickle ({problem}). Copy or download it again.") from None


class _StandIn:
    """What a pickle may call and not change: it can set attributes of all that it is given.

    Args:
        function: what is called
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name} is not to be set")

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)


class _Unpickler(pickle.Unpickler):
    """Gives stand-ins for the few functions that numpy's pickles call.

    No number type of numpy's own is ever handed out: it would believe what a pickle says of its memory, and crash.
    """

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(stream, encoding="latin1")  # the only one in which Python 2's arrays can be read
        self.path = path
        self.admitted = {
            "builtins.set": set,
            "builtins.frozenset": frozenset,
            "builtins.bytes": _StandIn(self._bytes),
            "_codecs.encode": _StandIn(self._bytes),
            "collections.OrderedDict": OrderedDict,
            "numpy.ndarray": None,  # only ever an argument, which the stand-in does not look at
            "numpy.dtype": _StandIn(self._number_type),
            "numpy._core.multiarray._reconstruct": _StandIn(self._array),
            "numpy._core.multiarray.scalar": _StandIn(self._scalar),
            "numpy._core.numeric._frombuffer": _StandIn(self._from_buffer),
        }

    def find_class(self, module: str, name: str) -> Any:
        asked = f"{OLD_NAMES.get(module, module)}.{name}"
        if asked not in self.admitted:
            raise UserError(
                f"{self.path} asks for '{module}.{name}', which is refused, because a pickle can run any program. "
                "Expected numbers, words, containers and numpy arrays: save it again with only these in it."
            )
        return self.admitted[asked]

    def _bytes(self, text: str = "", encoding: str = "latin1") -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"bytes written as {encoding}")
        return text.encode("latin1")

    def _number_type(self, code: str, *_: Any) -> "NumberType":
        if not NUMBER_TYPES.fullmatch(code):
            expected = "Expected booleans, integers, floats, complex numbers, words, bytes or objects"
            raise UserError(f"{self.path} holds an array of type '{code}', which is not read. {expected}.")
        return NumberType(code)

    def _array(self, *_: Any) -> "_Array":
        return np.ndarray.__new__(_Array, (0,), np.uint8)

    def _scalar(self, number_type: "NumberType", data: bytes | str) -> np.generic:
        numbers = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, number_type.dtype, 1)
        _check_letters(numbers)
        return numbers[0]

    def _from_buffer(
        self,
        data: bytes | bytearray,
        number_type: "NumberType",
        shape: tuple[int, ...],
        order: str,
        axes: tuple[int, ...] | None = None,
    ) -> np.ndarray:
        if not isinstance(data, bytes | bytearray):  # an array can be restored anew, and would leave its memory to us
            raise pickle.UnpicklingError(f"an array in the memory of {type(data).__name__}")
        array = np.frombuffer(data, number_type.dtype)
        _check_letters(array)
        return array.reshape(shape, order=order) if axes is None else array.reshape(shape).transpose(axes)


class NumberType:
    """The number type that a pickle describes, made from its name and byte order alone."""

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array that is restored only from as many values as its shape asks for."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, number_type, fortran, data = state
        dtype = number_type.dtype
        size = 1 if dtype.hasobject else max(1, dtype.itemsize)  # of words without letters there could be any number
        if min(shape, default=0) < 0 or len(data) != math.prod(shape) * size:
            raise pickle.UnpicklingError(f"an array of shape {shape} with {len(data)} values")
        super().__setstate__((1, shape, dtype, fortran, data))
        _check_letters(self)


def _check_letters(array: np.ndarray) -> None:
    """Refuses words of numbers that are no letters of Unicode, of which Python cannot make words."""
    if array.dtype.kind == "U" and array.size:
        letters = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if letters.max() > sys.maxunicode:
            raise pickle.UnpicklingError(f"a word with a letter {letters.max():#x}")
