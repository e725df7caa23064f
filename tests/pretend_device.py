"""A device for tests on machines that have none: it says it is ``meta``, but there are numbers on it.

Tensors on it hold one on the CPU. Whatever mixes both places raises, as a GPU would; what a program waits for a GPU at,
numbers asked for back, is counted.
"""

from collections import Counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

THERE = torch.device("meta")
COPIES = ("_to_copy", "copy_")
ASKED = ("_local_scalar_dense", "nonzero", "equal")  # their results are Python's, or of a size that is not known before


class There(torch.Tensor):
    """A tensor on the device."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        options = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        tensor = torch.Tensor._make_wrapper_subclass(cls, held.size(), device=THERE, **options)
        tensor.held = held
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        raise AssertionError(f"{operation} outside of a PretendDevice")

    def tolist(self):  # which torch knows of no subclass
        return self.cpu().tolist()

    def new_tensor(self, data, dtype=None):  # torch gives no numbers to what says it is meta
        return torch.tensor(data, dtype=dtype or self.dtype).to(THERE)

    def numpy(self):
        raise TypeError("a tensor on a device has no numpy array")


class PretendDevice(TorchDispatchMode):
    """While it is entered, what is made on ``meta`` has numbers.

    Attributes:
        calls: how often each operation ran on the device
        asked: how often numbers were asked for back
        doubles: whether float64 was computed with there
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.asked, self.doubles = 0, False
        self._tensor = torch.tensor

    def __enter__(self):
        def tensor(data, *, device=None, **options):
            made = self._tensor(data, **options)
            return made if device is None else made.to(device)

        torch.tensor = tensor  # as `There.new_tensor`
        return super().__enter__()

    def __exit__(self, *error):
        torch.tensor = self._tensor
        return super().__exit__(*error)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = operation._schema.name.partition("::")[2]
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        there = [tensor for tensor in given if isinstance(tensor, There)]
        target = kwargs.get("device") or (given[0].device if given else None)
        if kwargs.get("device") == THERE:
            kwargs["device"] = torch.device("cpu")
        self._note(name, given, there, target)
        made = operation(*tree_map(_held, args), **tree_map(_held, kwargs))
        if not (there or target == THERE) or (name == "_to_copy" and target != THERE):
            return made
        known = {id(tensor.held): tensor for tensor in there}  # of operations in place
        made = tree_map(lambda one: known.get(id(one), one), made)
        return tree_map(lambda one: There(one) if isinstance(one, torch.Tensor) and one.device != THERE else one, made)

    def _note(self, name: str, given: list[torch.Tensor], there: list[There], target: Any) -> None:
        if not there:
            return
        self.calls[name] += 1
        by_mask = name == "index" and any(tensor.dtype == torch.bool for tensor in there[1:])
        self.asked += name in ASKED or by_mask or (name == "_to_copy" and target != THERE)
        self.doubles |= any(tensor.dtype == torch.float64 for tensor in there)
        strange = [tensor for tensor in given if not isinstance(tensor, There) and (tensor.dim() or name == "index")]
        if strange and name not in COPIES:
            raise RuntimeError(f"{name} of tensors on the device and {len(strange)} on the CPU")


def _held(value: Any) -> Any:
    return value.held if isinstance(value, There) else value
