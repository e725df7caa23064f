"""The table of named checkpoints."""

import re

import pytest

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import all_specs

# The rows of the rank lists (mer_challenges.md, section 3.4), and who stands for them here.
RANKED = {
    "audio": {
        "eGeMAPS": "egemaps", "IS09": "is09", "VGGish": "vggish", "Whisper-base": "whisper-base",
        "Whisper-large": "whisper-large-v2", "emotion2vec": "emotion2vec", "w2v2-base": "chinese-wav2vec2-base",
        "w2v2-large": "chinese-wav2vec2-large", "HUBERT-base": "chinese-hubert-base",
        "HUBERT-large": "chinese-hubert-large", "wav2vec-large": "wav2vec-large-c",
        "data2vec-base": "data2vec-audio-base-960h", "WavLM-base": "wavlm-base", "WavLM-large": "wavlm-large",
    },
    "text": {
        "XLNet-base": "chinese-xlnet-base", "ELECTRA-large": "chinese-electra-180g-large", "MOSS-7B": "moss-base-7b",
        "PERT-large": "chinese-pert-large", "PERT-base": "chinese-pert-base", "LERT-large": "chinese-lert-large",
        "ELECTRA-base": "chinese-electra-180g-base", "LERT-base": "chinese-lert-base",
        "RoBERTa-base": "chinese-roberta-wwm-ext", "MacBERT-base": "chinese-macbert-base",
        "RoBERTa-large": "chinese-roberta-wwm-ext-large", "ChatGLM2-6B": "chatglm2-6b",
        "MacBERT-large": "chinese-macbert-large", "BLOOM-7B": "bloom-7b1", "Baichuan-13B": "baichuan-13b-base",
        "OPT-13B": "opt-13b", "ALBERT-small": "albert-chinese-small", "Llama-13B": "llama-13b",
        "Vicuna-13B": "vicuna-13b", "DeBERTa-large": "deberta-chinese-large",
        "StableLM": "stablelm-base-alpha-7b-v2", "Llama2-13B": "llama-2-13b", "Falcon": "falcon-7b",
        "Sentence-BERT": "paraphrase-multilingual-mpnet-base-v2",
    },
    "visual": {
        "VideoMAE-base": "videomae-base", "EmoNet": "emonet", "VideoMAE-large": "videomae-large",
        "DINOv2-large": "dinov2-large", "SENet-FER": "senet50-ferplus", "ResNet-FER": "resnet50-ferplus",
        "MANet": "manet", "EVA-02-base": "eva02-base-patch14-224", "CLIP-base": "clip-vit-base-patch32",
        "VideoMAE-VoxCeleb2": "videomae-base-voxceleb2", "VideoMAE-MER2023": "videomae-base-mer2023",
        "CLIP-large": "clip-vit-large-patch14", "ResNet-MSCeleb": "resnet18-msceleb",
        "ResNet-ImageNet": "resnet18-imagenet",
    },
}  # fmt: skip


@pytest.mark.parametrize("modality", RANKED)
def test_every_row_of_the_rank_lists_has_a_spec(modality):
    specs = all_specs(modality)
    assert {theirs: ours for theirs, ours in RANKED[modality].items() if ours not in specs} == {}
    for ours in RANKED[modality].values():
        assert specs[ours].dim is not None
        assert specs[ours].licence not in ("", "see model card", "see source"), ours


@pytest.mark.parametrize("modality", RANKED)
def test_every_row_of_the_table_is_run_by_a_family(modality):
    from feature_extraction.catalogue import _rows

    specs = all_specs(modality)
    for row in _rows(modality):
        assert row["name"] in specs, row["family"]
        assert specs[row["name"]].family == row["family"]


def test_a_row_with_its_mertools_variant():
    ours, theirs = (spec for spec in catalogue("visual", "image") if spec.name.startswith("dinov2-large"))
    assert (ours.name, ours.checkpoint, ours.dim, ours.input_size) == (
        "dinov2-large",
        "hf:facebook/dinov2-large",
        1024,
        224,
    )
    assert ours.option("tokens") == "class"
    assert ours.faces.name == "mtcnn"
    assert (theirs.name, theirs.option("tokens"), theirs.option("frames")) == ("dinov2-large@mertools", "sum", 64)
    assert theirs.faces.name == "organisers"
    assert ours.identity != theirs.identity


def test_names_are_lower_case_and_without_what_a_variant_uses():
    assert [name for name in all_specs() if not re.fullmatch(r"[a-z0-9._-]+(@mertools)?", name)] == []
