"""Tiny: small random networks with tokenizers that need no files, so that tests run the real path."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from feature_extraction.checkpoint import seeded

if TYPE_CHECKING:
    import torch

WIDTH = 32
POSITIONS = 64  # few, so that a long sentence is long enough to be cut


class Tiny(NamedTuple):
    """How one kind of tiny model is made.

    Attributes:
        tokenizer: makes the tokenizer
        network: makes the network, given the tokenizer
    """

    tokenizer: Callable[[], Any]
    network: Callable[[Any], "torch.nn.Module"]


def make_tiny(kind: str) -> tuple[Any, "torch.nn.Module"]:
    """Returns a tokenizer and a network of one kind, ``bert`` or ``llama``; the same weights every time."""
    make = _KINDS[kind]
    tokenizer = make.tokenizer()
    with seeded():
        return tokenizer, make.network(tokenizer)


def character_tokenizer() -> Any:
    """Returns a WordPiece tokenizer whose pieces are characters: Latin, kana, Chinese, marks."""
    from transformers import BertTokenizer

    letters = _characters(0x21, 0x7E) + _characters(0xA1, 0xFF) + _characters(0x3041, 0x30FF)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += [*"。，、！？；：“”‘’（）…—", *_characters(0x4E00, 0x9FA5)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, model_max_length=POSITIONS)


def _characters(first: int, last: int) -> list[str]:
    return [chr(code) for code in range(first, last + 1)]


def byte_tokenizer() -> Any:
    """Returns a byte-level tokenizer without merges: a Chinese character is three tokens, ``<s>`` comes first."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    first = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), first])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def _bert(tokenizer: Any) -> "torch.nn.Module":
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(vocab_size=len(tokenizer), **_sizes()), add_pooling_layer=False)


def _llama(tokenizer: Any) -> "torch.nn.Module":
    from transformers import LlamaConfig, LlamaModel

    return LlamaModel(LlamaConfig(vocab_size=len(tokenizer), num_key_value_heads=2, bos_token_id=0, **_sizes()))


def _sizes() -> dict[str, int]:
    return {
        "hidden_size": WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 2 * WIDTH,
        "max_position_embeddings": POSITIONS,
    }


_KINDS = {"bert": Tiny(character_tokenizer, _bert), "llama": Tiny(byte_tokenizer, _llama)}
