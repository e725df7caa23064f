"""Any model in a folder, for each modality, with the network switched off: from the command line to the cache."""

import socket
import sys

import numpy as np
import pandas as pd
import pytest

from feature_extraction.cli import run
from feature_extraction.faces.reel import Reel
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.store import to_record
from feature_extraction.text.tiny import character_tokenizer
from toolkit.cache import Cache, CacheWriter, Header, cache_path
from toolkit.media import Sound, write_sound

SMALL = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture
def offline(monkeypatch):
    """Lets nothing out of this process."""

    def refuse(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def corpus(tmp_path):
    """Three clips with sound, words and faces."""
    generator, spec = np.random.default_rng(0), FaceSpec()
    names = ["a", "b", "c"]
    for name in names:
        write_sound(tmp_path / f"{name}.wav", Sound(generator.uniform(-0.5, 0.5, 8000).astype(np.float32), 16000))
    texts = ["今天很高兴", "不", "so happy"]
    pd.DataFrame({"name": names, "audio": [f"{n}.wav" for n in names], "text": texts}).to_csv(
        tmp_path / "few.csv", index=False
    )
    with CacheWriter(cache_path(tmp_path, "few", "faces", "mtcnn"), Header("few", spec.to_json(), spec.identity)) as w:
        for name in names:
            reel = Reel(spec.quality)
            for frame in range(4):
                reel.add(generator.integers(0, 256, (112, 112, 3)).astype(np.uint8), frame / 10)
            w.append(to_record(name, reel.track()))
    return tmp_path / "few.csv"


def save_audio(folder):
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    config = HubertConfig(**SMALL, conv_dim=(8,) * 7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2)
    HubertModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


def save_visual(folder):
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    ViTModel(ViTConfig(**SMALL, image_size=32, patch_size=16)).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)


def save_text(folder):
    from transformers import BertConfig, BertModel

    tokenizer = character_tokenizer()
    BertModel(BertConfig(vocab_size=len(tokenizer), **SMALL)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize("modality", ["audio", "visual", "text"])
def test_model_in_a_folder(modality, corpus, tmp_path, offline, monkeypatch, capsys):
    folder = tmp_path / "my model"
    {"audio": save_audio, "visual": save_visual, "text": save_text}[modality](folder)
    arguments = [modality, "--corpus", str(corpus), "--encoder", f"hf:{folder}", "--cache", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["feature_extraction", *arguments, "--level", "both", "--device", "cpu"])
    with pytest.raises(SystemExit) as end:
        run()
    assert end.value.code in (None, 0), capsys.readouterr().err
    for level in ("utterance", "frame"):
        cache = Cache(cache_path(tmp_path, "few", modality, "my model", level))
        assert cache.status == ["ok"] * 3
        assert cache.row("utterance", ["a"]).shape == (1, 16)
        assert cache.spec["checkpoint"] == f"hf:{folder}"
