"""Spreading: a network on one device, or over all of them where one is too small."""

from typing import TYPE_CHECKING

from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

_SHARE = 0.9  # of a device's free memory that weights may fill; batches need the rest


def settle(network: "torch.nn.Module", device: str) -> "torch.nn.Module":
    """Returns the network on the device.

    A network too large for it is spread over all devices, what is left over on the CPU, by the package accelerate;
    unless the user named one of several (``cuda:1``).

    Raises:
        UserError: the network does not fit, and cannot be spread
    """
    needed, free = weight_bytes(network), free_bytes(device)
    if needed <= _SHARE * free:
        return network.to(device)
    message = f"The network takes {needed / 1e9:.1f} GB, and {device} has {free / 1e9:.1f} GB free."
    if device != "cuda":
        raise UserError(f"{message} --device cuda spreads it over all devices.")
    try:
        import accelerate
    except ImportError as error:
        raise UserError(f"{message} To spread it over all devices: pip install 'mer-toolkit[llm]'.") from error
    kept_whole = list(getattr(network, "_no_split_modules", None) or [])
    most = {place: int(_SHARE * size) for place, size in accelerate.utils.get_max_memory().items()}
    most["cpu"] = 2 * needed  # what stays there lies there already, however little room is left beside it
    memory = accelerate.utils.get_balanced_memory(network, most, no_split_module_classes=kept_whole)
    places = accelerate.infer_auto_device_map(network, max_memory=memory, no_split_module_classes=kept_whole)
    skipped = getattr(network, "_skip_keys_device_placement", None)
    return accelerate.dispatch_model(network, device_map=places, skip_keys=skipped)


def weight_bytes(network: "torch.nn.Module") -> int:
    """Returns how much memory a network's weights take."""
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())


def free_bytes(device: str) -> float:
    """Returns how much memory a device has left; infinite where that is not known: only CUDA tells it."""
    import torch

    return torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else float("inf")
