"""Loading: tokenizers and networks of text models, from the hub or from a folder."""

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from feature_extraction.checkpoint import pretrained, weights_file
from feature_extraction.loading import refuse_other_shapes
from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

_MOST_ABSENT = 0.1  # share of a network's weights that a checkpoint may lack, besides the pooler, which is not used
_CONVERTERS = ("sentencepiece", "SentencePiece", "protobuf", "tiktoken")


def located(spec: EncoderSpec) -> EncoderSpec:
    """Returns the spec with an ``hf:`` checkpoint.

    ``local:NAME/config.json`` is a folder among the files of weights, for models that nobody may publish whole.

    Raises:
        UserError: there is no such folder; the message says how its content is to be had
    """
    if spec.checkpoint.startswith("local:"):
        return dataclasses.replace(spec, checkpoint=f"hf:{weights_file(spec).parent}")
    return spec


def load_tokenizer(spec: EncoderSpec, trusted: Collection[str] = (), *, subfolder: str = "") -> Any:
    """Returns the tokenizer of a checkpoint.

    The option ``tokenizer`` names a class of transformers, for checkpoints that do not say which is theirs.

    Raises:
        UserError: it is not to be had
    """
    import transformers

    loader = getattr(transformers, spec.option("tokenizer", "AutoTokenizer"))
    try:
        return pretrained(loader.from_pretrained, located(spec), trusted, subfolder=subfolder)
    except UserError as error:
        if any(package in str(error) for package in _CONVERTERS):  # asked for in vain, and often for the wrong one
            raise UserError(
                f"{error}\nIts tokenizer is to be converted first: pip install 'mer-toolkit[llm]'."
            ) from error
        raise


def load_network(
    spec: EncoderSpec, trusted: Collection[str] = (), *, dtype: "torch.dtype", subfolder: str = ""
) -> "torch.nn.Module":
    """Returns the network of a checkpoint, without heads; of one that translates text to text its encoder.

    Args:
        spec: what to load
        trusted: checkpoints whose own code may run, by name
        dtype: its number type in memory, from the start
        subfolder: of the checkpoint

    Raises:
        UserError: it is not to be had, or the checkpoint is of another network
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    spec = located(spec)
    config = pretrained(AutoConfig.from_pretrained, spec, trusted, subfolder=subfolder)
    loader = _loader(config)
    network, found = pretrained(
        loader.from_pretrained,
        spec,
        trusted,
        subfolder=subfolder,
        config=config,
        dtype=dtype,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    refuse_other_shapes(found, spec)
    absent = [name for name in found["missing_keys"] if "pooler" not in name]
    if len(absent) > _MOST_ABSENT * len(network.state_dict()):
        raise UserError(
            f"'{spec.name}': the checkpoint lacks {len(absent)} of the network's weights, '{sorted(absent)[0]}' among "
            "them: it is of another network."
        )
    _cast_weights(network, dtype)
    network.config.use_cache = False  # keys and values are for writing on, not for reading
    if config.is_encoder_decoder and hasattr(network, "get_encoder"):
        return network.get_encoder()
    return network.base_model if loader is AutoModelForCausalLM else network


def _cast_weights(network: "torch.nn.Module", dtype: "torch.dtype") -> None:
    """Casts the weights that transformers leaves in float32: those that XLNet and DeBERTa make as such themselves.

    Those that it keeps in float32 on purpose stay (T5's, which overflow), and so do buffers (frequencies of rotations).
    """
    lists = (getattr(network, f"_keep_in_fp32_modules{ending}", None) for ending in ("", "_strict"))
    kept = {name for names in lists for name in names or ()}
    for name, weight in network.named_parameters():
        if weight.is_floating_point() and kept.isdisjoint(name.split(".")):
            weight.data = weight.data.to(dtype)


def _loader(config: Any) -> Any:
    """Returns the class that loads a network; code of a checkpoint may offer no network but one with a head."""
    from transformers import (
        MODEL_FOR_TEXT_ENCODING_MAPPING,
        MODEL_MAPPING,
        AutoModel,
        AutoModelForCausalLM,
        AutoModelForTextEncoding,
    )

    if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING:
        return AutoModelForTextEncoding  # T5 without its decoder, which a checkpoint may not have; BERT as it is
    own = getattr(config, "auto_map", None) or {}
    headed = "AutoModelForCausalLM" in own and "AutoModel" not in own and type(config) not in MODEL_MAPPING
    return AutoModelForCausalLM if headed else AutoModel
