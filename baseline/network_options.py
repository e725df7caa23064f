"""What networks can be told beside their sizes."""

import inspect
from collections.abc import Mapping
from typing import Any

from toolkit.errors import UserError, did_you_mean
from toolkit.models.network import networks

TEXT = "text"


def options_of(model: str) -> list[str]:
    """Returns the names of the options of a network, as ``--set network.NAME`` has them."""
    parameters = inspect.signature(networks.get(model)).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.name != "frames"]


def require_options(model: str, given: Mapping[str, Any]) -> None:
    """Checks that a network has the options that it is given.

    Raises:
        UserError: it has not; the message has the nearest that it has
    """
    known = options_of(model)
    for name in given:
        if name not in known:
            raise UserError(f"Unknown option '{name}' of network '{model}'. {did_you_mean(name, known)}")


def anchored(network: Mapping[str, Any], modalities: Mapping[str, str]) -> dict[str, Any]:
    """Returns the arguments of a network, with text for its anchor where it has one and it is not among the features.

    Args:
        network: ``name`` and options of `toolkit.models.network.build_network`
        modalities: modality of each feature, of all that it reads
    """
    told = dict(network)
    if "anchor" not in options_of(told["name"]) or told.get("anchor") in modalities:
        return told
    told["anchor"] = next((key for key in sorted(modalities) if modalities[key] == TEXT), None)
    return told
