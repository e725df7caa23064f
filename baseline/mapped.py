"""Objects for other processes, their large tensors in files that every process maps into its memory."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LARGE = 1 << 20  # bytes from which a tensor gets a file


class Shelf:
    """A folder of tensors that several processes read, each there once.

    The files lie in the system's cache, so that ten processes need no more memory than one. (Torch's own way goes
    through ``/dev/shm``, which is a few megabytes small in many containers.)

    Args:
        folder: empty, and there until the last process is done
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shelved: list[Tensor] = []  # also keeps them, so that no other comes to lie at their address

    def pack(self, thing: Any) -> bytes:
        """Returns an object as bytes for `unpack`; what it holds of large tensors is put on the shelf."""
        stream = io.BytesIO()
        _Packer(stream, self).dump(thing)
        return stream.getvalue()

    def put(self, tensor: Tensor) -> int:
        """Returns the number of a tensor on the shelf."""
        for number, other in enumerate(self._shelved):
            if other is tensor or (other.data_ptr() == tensor.data_ptr() and _form(other) == _form(tensor)):
                return number
        number = len(self._shelved)
        tensor.numpy().tofile(self._path(number))
        self._shelved.append(tensor)
        return number

    def take(self, number: int, kind: torch.dtype, shape: tuple[int, ...]) -> Tensor:
        """Returns a tensor of the shelf; what is changed in it nobody else sees."""
        size = torch.Size(shape).numel()
        return torch.from_file(str(self._path(number)), shared=False, size=size, dtype=kind).view(shape)

    def unpack(self, packed: bytes) -> Any:
        """Returns what was packed, in any process."""
        return _Unpacker(io.BytesIO(packed), self).load()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.tensor"


def _form(tensor: Tensor) -> tuple[torch.dtype, torch.Size]:
    return tensor.dtype, tensor.shape


class _Packer(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self._shelf = shelf

    def persistent_id(self, thing: Any) -> tuple[int, torch.dtype, tuple[int, ...]] | None:
        """Returns where a large tensor lies, nothing for all else."""
        if not isinstance(thing, Tensor) or thing.nbytes < LARGE or thing.requires_grad or not thing.is_contiguous():
            return None
        return self._shelf.put(thing), thing.dtype, tuple(thing.shape)


class _Unpacker(pickle.Unpickler):
    """For bytes of `_Packer` alone, which this program's own processes send each other."""

    def __init__(self, stream: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(stream)
        self._shelf = shelf

    def persistent_load(self, place: tuple[int, torch.dtype, tuple[int, ...]]) -> Tensor:
        """Returns the tensor that lies there."""
        return self._shelf.take(*place)
