"""What a checkpoint's command line says of the options of its network."""

import inspect
from collections.abc import Callable, Collection, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

# By option of fine-tuning networks: what the authors' trainers call it, and the values it may have, theirs and ours. No
# other is taken: an activation is a function of torch's by its name, and a file must not choose which one is called.
OPTION_HINTS: Mapping[str, str] = {
    "mean_of": "lg_classify_token_type",
    "activation": "head_activation_func",
    "per_picture": "keep_temporal_dim",
}
OPTION_VALUES: Mapping[str, Mapping[str | bool, Any]] = {
    "mean_of": {"region": "representatives", "org": "local", "all": "all"},
    "activation": {"sigmoid": "sigmoid", "relu": "relu", "tanh": "tanh"},
    "per_picture": {True: True, False: False},
}
OWN = "network"  # what this project's trainers call a dictionary of options by our names
OWN_OPTIONS = ("order", "norm_tokens")  # of fine-tuning networks; the authors' trainers have no words for them
# Options whose value "release" has a network do what the authors' code does and their paper does not say.
DEPARTING = ("order", "context", "upsample")


class ToldOptions(NamedTuple):
    """Options of a network that its weights depend on.

    Attributes:
        told: that the checkpoint's command line gave
        assumed: that nothing gave, which are the standard ones
    """

    told: dict[str, Any]
    assumed: dict[str, Any]


def told_options(build: Callable[..., Any], arguments: Mapping[str, Any], known: Collection[str]) -> ToldOptions:
    """Returns the options of a network that nobody has given yet.

    Args:
        build: makes the network
        arguments: the command line that the weights were trained with
        known: options that are given
    """
    told, assumed = {}, {}
    own = arguments.get(OWN)
    hints = get_type_hints(build.__init__ if isinstance(build, type) else build)
    for option, parameter in inspect.signature(build).parameters.items():
        if option in known or parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        value = arguments.get(OPTION_HINTS.get(option, ""))
        if isinstance(own, dict) and option in own and fits(hints[option], own[option]):
            told[option] = own[option]
        elif isinstance(value, str | bool) and value in OPTION_VALUES.get(option, ()):
            told[option] = OPTION_VALUES[option][value]
        elif parameter.default and not isinstance(own, dict) and option in (*OPTION_HINTS, *DEPARTING):
            assumed[option] = parameter.default
    return ToldOptions(told, assumed)


def told_shares(network: Any, arguments: Mapping[str, Any], known: Collection[str]) -> dict[str, float]:
    """Has a pretraining network hide the shares of tokens that its checkpoint's command line says, and returns them.

    Args:
        network: whose ``mask`` and ``audio_mask`` are changed
        arguments: the command line that the weights were trained with
        known: options that are given
    """
    shares = {}
    for name in ("mask", "audio_mask"):
        share = arguments.get(f"{name}_ratio")
        if name not in known and hasattr(network, name) and isinstance(share, float) and 0 < share < 1:
            setattr(network, name, getattr(network, name)._replace(ratio=share))
            shares[f"{name}_ratio"] = share
    return shares


def fits(hint: Any, value: Any) -> bool:
    """Whether an option of some type may be a value that a file or a command line gives: a word, a number or nothing.

    Args:
        hint: type of the option
        value: given

    Examples:
        >>> fits(Literal["time", "release"], "release"), fits(float, 2), fits(float | None, "2"), fits(float, True)
        (True, True, False, False)
    """
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(fits(one, value) for one in get_args(hint))
    kinds = {bool: bool, int: int, float: (int, float), NoneType: NoneType}
    if isinstance(value, bool):
        return hint is bool
    return hint in kinds and isinstance(value, kinds[hint])
