"""Tiny models of every type, saved as they come from the hub."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feature_extraction.checkpoint import seeded
from feature_extraction.encoder import EncoderSpec, get_spec
from feature_extraction.text.tiny import byte_tokenizer

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
BYTE_LEVEL = {"gpt2", "opt", "bloom", "falcon", "llama", "qwen2"}


def character_tokenizer() -> Any:
    """A WordPiece tokenizer of a few characters; everything else is unknown to it."""
    from transformers import BertTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += list("我很高兴今天不，。！？,.!?'")
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})


def unigram_tokenizer(kind: str) -> Any:
    """XLNet's and T5's tokenizers, of a few characters."""
    import transformers

    first = {
        "xlnet": ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eop>", "<eod>"],
        "t5": ["<pad>", "</s>", "<unk>"],
    }[kind]
    pieces = [*first, "▁", *"abcdefghijklmnopqrstuvwxyz我很高兴今天不，！？,.!?'"]
    maker = {"xlnet": transformers.XLNetTokenizer, "t5": transformers.T5Tokenizer}[kind]
    options = {"extra_ids": 0} if kind == "t5" else {}
    return maker(vocab=[(piece, -1.0) for piece in pieces], **options)


def make_tokenizer(kind: str) -> Any:
    """The tokenizer that goes with a type of model."""
    if kind in ("xlnet", "t5"):
        return unigram_tokenizer(kind)
    return byte_tokenizer() if kind in BYTE_LEVEL else character_tokenizer()


def make_config(kind: str, words: int) -> Any:
    """A small configuration; where transformers has old names for the sizes, they are mapped."""
    import transformers

    changes: dict[str, Any] = {
        "albert": {"embedding_size": 8},
        "electra": {"embedding_size": 8},
        "convbert": {"embedding_size": 8, "head_ratio": 2},
        "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
        # as deberta-v2-xlarge: a convolution over tokens, distances in buckets
        "deberta-v2": {
            "relative_attention": True,
            "pos_att_type": ["c2p", "p2c"],
            "position_buckets": 8,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "conv_kernel_size": 3,
            "conv_act": "gelu",
        },
        "falcon": {"multi_query": True, "parallel_attn": True},
        "llama": {"num_key_value_heads": 2},
        "qwen2": {"num_key_value_heads": 2},
        "t5": {"d_kv": 4, "d_ff": 32},
        "xlnet": {"d_inner": 32, "d_head": 4},
        "opt": {"ffn_dim": 32, "word_embed_proj_dim": 16},
    }.get(kind, {})
    special = {"pad_token_id": 1} if kind in ("roberta", "mpnet") else {"bos_token_id": 0, "eos_token_id": 1}
    if kind == "fnet":
        changes = {"tpu_short_seq_length": 40}
    sizes = {key: size for key, size in SIZES.items() if kind not in ("xlnet", "bloom", "t5") or "position" not in key}
    return transformers.AutoConfig.for_model(kind, vocab_size=words, **sizes, **special, **changes)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., EncoderSpec]:
    """Saves a tiny model of a type with its tokenizer, and returns the spec that names the folder."""

    def save(kind: str, *, like: str = "tiny-bert", **changes: Any) -> EncoderSpec:
        from transformers import AutoModel

        tokenizer = make_tokenizer(kind)
        with seeded():
            network = AutoModel.from_config(make_config(kind, len(tokenizer)))
        tokenizer.save_pretrained(tmp_path / kind)
        network.save_pretrained(tmp_path / kind)
        changes = {"options": (), "dim": None} | changes
        return dataclasses.replace(get_spec(like, "text"), name=kind, checkpoint=f"hf:{tmp_path / kind}", **changes)

    return save


@pytest.fixture
def one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets texts of any lengths share a batch, whatever is lost on padding; a processor's batches hardly pad."""
    monkeypatch.setattr("feature_extraction.network._SLACK_ON_CPU", 1000)
