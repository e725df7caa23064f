"""Pooling: how sentence-transformers makes one vector of the tokens of a text, read from its files."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feature_extraction.checkpoint import load_into, pretrained, read_state
from feature_extraction.spec import EncoderSpec
from feature_extraction.text.loading import located
from toolkit.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import torch

# By name in 1_Pooling/config.json and by the switches that older files have, in the order in which they are joined.
_SWITCHES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def _weighted_mean(rows: "torch.Tensor") -> "torch.Tensor":
    import torch

    weights = torch.arange(1, len(rows) + 1, device=rows.device, dtype=rows.dtype)
    return weights @ rows / weights.sum()


_MODES: dict[str, Callable[["torch.Tensor"], "torch.Tensor"]] = {
    "cls": lambda rows: rows[0],
    "max": lambda rows: rows.amax(dim=0),
    "mean": lambda rows: rows.mean(dim=0),
    "mean_sqrt_len_tokens": lambda rows: rows.sum(dim=0) / len(rows) ** 0.5,
    "weightedmean": _weighted_mean,
    "lasttoken": lambda rows: rows[-1],
}


class Pooling:
    """Makes one vector of a text's rows, special tokens included.

    Args:
        modes: ways to make a vector of rows, joined end to end
        dense: linear maps, with what comes after each, applied to it
        normalised: whether vectors have length one in the end

    Raises:
        UserError: there is no such way
    """

    def __init__(
        self, modes: Sequence[str] = ("mean",), dense: "Sequence[torch.nn.Module]" = (), *, normalised: bool = False
    ) -> None:
        for mode in modes:
            if mode not in _MODES:
                raise UserError(f"Unknown pooling '{mode}'. {did_you_mean(mode, _MODES)}")
        self.modes = tuple(modes)
        self.dense = tuple(dense)
        self.normalised = normalised

    def to(self, device: str) -> "Pooling":
        """Returns it with its linear maps on the device."""
        return Pooling(self.modes, [module.to(device) for module in self.dense], normalised=self.normalised)

    def __call__(self, rows: "Sequence[torch.Tensor]") -> "torch.Tensor":
        """Returns ``(B, E)`` of the rows ``(t, D)`` of each text."""
        import torch

        vectors = torch.stack([torch.cat([_MODES[mode](text) for mode in self.modes]) for text in rows])
        for module in self.dense:
            vectors = module(vectors)
        return torch.nn.functional.normalize(vectors, dim=-1) if self.normalised else vectors


class SentenceFiles:
    """The files of a sentence-transformers model.

    Without ``modules.json`` it is taken for a plain transformer whose tokens are averaged, as that package does.

    Args:
        spec: a spec with an ``hf:`` checkpoint
        trusted: checkpoints whose own code may run, by name

    Attributes:
        subfolder: where the transformer is
        longest: tokens of the longest text it was made for, ``None`` where it does not say
        lower: whether capitals are made small

    Raises:
        UserError: the model has parts unknown here, or needs a text in front of each transcript
    """

    def __init__(self, spec: EncoderSpec, trusted: Collection[str] = ()) -> None:
        self.spec = located(spec)
        self._trusted = trusted
        modules = self._read("modules.json") or []
        self.parts = [(str(module["type"]).rpartition(".")[2], str(module["path"])) for module in modules]
        kinds = [kind for kind, _ in self.parts]
        if modules and (kinds[:2] != ["Transformer", "Pooling"] or not set(kinds[2:]) <= {"Dense", "Normalize"}):
            raise UserError(
                f"'{spec.name}' is made of {', '.join(kinds)}; expected a Transformer, a Pooling, then Dense and "
                "Normalize at most."
            )
        self.subfolder = self.parts[0][1] if modules else ""
        settings = self._read("sentence_bert_config.json", self.subfolder) or {}
        self.longest: int | None = settings.get("max_seq_length")
        self.lower = bool(settings.get("do_lower_case", False))
        whole = self._read("config_sentence_transformers.json") or {}
        prompt = (whole.get("prompts") or {}).get(whole.get("default_prompt_name"))
        if prompt:
            raise UserError(f"'{spec.name}' wants '{prompt}' in front of every text, which is not supported.")

    def pooling(self) -> Pooling:
        """Returns the pooling with what comes after it.

        Raises:
            UserError: it is of a kind unknown here
        """
        if not self.parts:
            return Pooling()
        config = self._read("config.json", self.parts[1][1]) or {}
        modes = config.get("pooling_mode") or [mode for mode, key in _SWITCHES.items() if config.get(key)] or ["mean"]
        dense = [self._dense(path) for kind, path in self.parts if kind == "Dense"]
        kinds = [kind for kind, _ in self.parts]
        normalised = kinds[-1] == "Normalize"
        if "Normalize" in kinds[:-1]:
            raise UserError(f"'{self.spec.name}' normalises before the end, which is not supported.")
        return Pooling([modes] if isinstance(modes, str) else modes, dense, normalised=normalised)

    def _dense(self, folder: str) -> "torch.nn.Module":
        import torch

        config = self._read("config.json", folder) or {}
        activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
        known = {"Tanh": torch.nn.Tanh, "Identity": torch.nn.Identity, "ReLU": torch.nn.ReLU, "GELU": torch.nn.GELU}
        if activation not in known or config.get("use_residual"):
            raise UserError(f"'{self.spec.name}' has a Dense with {config}, which is not supported.")
        linear = torch.nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
        network = torch.nn.Sequential()
        network.add_module("linear", linear)
        path = self._path("model.safetensors", folder) or self._path("pytorch_model.bin", folder)
        if path is None:
            raise UserError(f"'{self.spec.name}' lacks the weights of its part {folder}.")
        load_into(network, read_state(path), path)
        network.add_module("activation", known[activation]())
        return network.eval().requires_grad_(False)

    def _read(self, name: str, folder: str = "") -> Any:
        path = self._path(name, folder)
        return None if path is None else json.loads(path.read_text(encoding="utf-8"))

    def _path(self, name: str, folder: str = "") -> Path | None:
        """Returns a file of the model, ``None`` where it has no such file."""
        from transformers.utils import cached_file

        def find(place: str, *, trust_remote_code: bool, **options: Any) -> str | None:
            return cached_file(place, name, subfolder=folder, _raise_exceptions_for_missing_entries=False, **options)

        found = pretrained(find, self.spec, self._trusted)
        return None if found is None else Path(found)
