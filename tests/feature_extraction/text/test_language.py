"""Language models of every type: as the library computes them, alone or together."""

import dataclasses
import json
import re

import numpy as np
import pytest

from feature_extraction.encoder import all_specs, build_encoder, get_spec
from feature_extraction.reference import find_spec
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

TYPES = [
    *("bert", "roberta", "mpnet", "albert", "electra", "xlnet", "t5", "deberta", "deberta-v2"),
    *("gpt2", "opt", "bloom", "falcon", "llama", "qwen2"),
]
TEXTS = ["我很高兴！", "no", "i am so happy for you", "oh, 今天不？"]


def load(spec):
    """The library's own tokenizer and network."""
    from transformers import AutoModel, AutoTokenizer

    folder = spec.checkpoint.removeprefix("hf:")
    network = AutoModel.from_pretrained(folder).eval()
    return AutoTokenizer.from_pretrained(folder), network.get_encoder() if spec.name == "t5" else network


def states_of(tokenizer, network, text, **options):
    """All layers ``(L, t, D)`` of the tokens the library does not call special."""
    import torch

    encoding = tokenizer(text, return_special_tokens_mask=True, return_tensors="pt", **options)
    kept = encoding.pop("special_tokens_mask")[0] == 0
    with torch.inference_mode():
        states = network(**encoding, output_hidden_states=True).hidden_states
    return np.stack([state[0, kept].numpy() for state in states])


def count_texts(encoder):
    """How many texts each batch has, counted as they are computed."""
    counts, forward = [], encoder.forward
    encoder.forward = lambda pieces: counts.append(len(pieces)) or forward(pieces)
    return counts


@pytest.mark.parametrize("kind", TYPES)
def test_as_the_library_alone_and_together(saved, one_batch, kind):
    spec = saved(kind)
    encoder = build_encoder(spec, level="frame")
    assert not encoder.equal_lengths  # so that texts of other lengths share the batch
    tokenizer, network = load(spec)
    # XLNet was trained with token types, and its tokenizer gives them when asked.
    options = {"return_token_type_ids": True} if kind == "xlnet" else {}
    batches = count_texts(encoder)
    together = encoder.encode(TEXTS)
    assert batches == [len(TEXTS)]
    for text, result in zip(TEXTS, together, strict=True):
        expected = states_of(tokenizer, network, text, **options)[-4:].sum(axis=0)
        np.testing.assert_allclose(encoder.encode([text])[0].values, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-4)
        np.testing.assert_allclose(result.utterance, expected.mean(axis=0), rtol=0, atol=1e-4)
        assert (np.diff(result.times, axis=0) >= 0).all()
        assert result.times[-1, 1] == len(text)


@pytest.mark.parametrize("kind", [*TYPES, "clip_text_model"])
def test_last_layer_is_what_the_network_gives_out(saved, kind):
    """Behind the final normalisation, that is: made to matter here, and transformers 4 had it there too."""
    import torch

    encoder = build_encoder(saved(kind, layers=(-1,)), level="frame")
    with torch.inference_mode():
        for name, weight in encoder.network.named_parameters():
            if weight.dim() == 1 and name.endswith("weight"):
                weight.copy_(torch.linspace(0.5, 2, len(weight)))
        (piece,) = encoder.pieces("so happy")
        inputs = {name: torch.from_numpy(piece.inputs[name])[None] for name in encoder._inputs}
        expected = encoder.network(**inputs).last_hidden_state[0, piece.keep]
    np.testing.assert_allclose(encoder.encode(["so happy"])[0].values, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["convbert", "fnet"])
def test_networks_that_mind_padding_get_texts_of_one_length(saved, one_batch, kind):
    """A convolution over padding, a Fourier transform over all places: both are found out, no list names them."""
    encoder = build_encoder(saved(kind), level="frame")
    assert encoder.equal_lengths
    batches = count_texts(encoder)
    encoder.encode([*TEXTS, TEXTS[0]])
    assert sorted(batches) == [1, 1, 1, 2]
    for text, result in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0].values, result.values, rtol=0, atol=1e-5)


def test_padding_would_change_them(saved):
    """The evidence: with padding the same network gives other rows."""
    encoder = build_encoder(saved("convbert"), level="frame")
    short, long = (next(encoder.pieces(text)) for text in ("no", "i am so happy for you"))
    alone, padded = encoder.rows([short])[0], encoder.rows([long, short])[1]
    assert (alone - padded).abs().max() > 1e-3


def test_layers(saved):
    spec = saved("bert")
    expected = states_of(*load(spec), "我很高兴")
    assert len(expected) == 5
    for changes, values in [
        ({"layers": (0,)}, expected[0]),
        ({"layers": (-1,)}, expected[4]),
        ({"layers": (1, 3), "combine": "mean"}, expected[[1, 3]].mean(axis=0)),
        ({"layers": (0, 2), "combine": "keep"}, np.concatenate([expected[0], expected[2]], axis=1)),
        ({"layers": (), "combine": "keep"}, np.concatenate(list(expected), axis=1)),
    ]:
        (result,) = build_encoder(dataclasses.replace(spec, **changes), level="frame").encode(["我很高兴"])
        np.testing.assert_allclose(result.values, values, rtol=0, atol=1e-5)


def test_every_layer_by_name():
    (result,) = build_encoder(find_spec("tiny-bert@every-layer", "text")).encode(["我很高兴"])
    assert result.utterance.shape == (5 * 32,)


def test_unknown_words_are_words(saved):
    (result,) = build_encoder(saved("bert"), level="frame").encode(["龘龘"])
    assert result.times.tolist() == [[0, 1], [1, 2]]


def test_text_that_vanishes(saved):
    good, bad, also_good = build_encoder(saved("bert"), level="frame").encode(["我", "\u200b\u200b", "很"])
    assert isinstance(bad, ClipError)
    assert bad.status == Status.EMPTY_TEXT
    assert len(good.values) == len(also_good.values) == 1


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", ["bert", "deberta", "llama", "t5", "xlnet"])
def test_half_precision(saved, kind, precision):
    """DeBERTa and XLNet make weights of their own in float32, which transformers leaves so, and then they crash."""
    import torch

    spec = saved(kind)
    half = build_encoder(dataclasses.replace(spec, precision=precision), level="frame")
    wanted = {"wo.weight"} if (kind, precision) == ("t5", "float16") else set()  # T5's would be infinite in float16
    weights = dict(half.network.named_parameters())
    single = {name for name, weight in weights.items() if weight.dtype == torch.float32}
    assert {name[-9:] for name in single} == wanted
    assert {weights[name].dtype for name in weights.keys() - single} == {getattr(torch, precision)}
    assert not half.equal_lengths
    full = build_encoder(spec, level="frame")
    for one, other in zip(half.encode(TEXTS), full.encode(TEXTS), strict=True):
        assert one.values.dtype == np.float32
        distance = np.linalg.norm(one.values - other.values) / np.linalg.norm(other.values)
        assert 0 < distance < {"float16": 2e-3, "bfloat16": 2e-2}[precision]


def test_rotations_stay_exact_in_half_precision(saved):
    """LLaMA's frequencies are no weights; rounded, they would turn far tokens wrongly."""
    import torch

    network = build_encoder(dataclasses.replace(saved("llama"), precision="bfloat16")).network
    assert {buffer.dtype for buffer in network.buffers()} == {torch.float32}


def test_networks_that_know_no_half_precision(saved):
    """A Fourier transform of half-precision numbers is not to be had on a processor."""
    spec = dataclasses.replace(saved("fnet"), precision="bfloat16")
    with pytest.raises(UserError, match=r"'fnet' cannot compute in bfloat16.*float32"):
        build_encoder(spec).encode(TEXTS)


def test_encoder_of_t5_is_its_own_class(saved):
    from transformers import T5EncoderModel

    spec = saved("t5")
    tokenizer, _ = load(spec)
    network = T5EncoderModel.from_pretrained(spec.checkpoint.removeprefix("hf:")).eval()
    (result,) = build_encoder(spec, level="frame").encode(["so happy"])
    expected = states_of(tokenizer, network, "so happy")[-4:].sum(axis=0)
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)
    network.save_pretrained(spec.checkpoint.removeprefix("hf:"))  # now without a decoder
    (without,) = build_encoder(spec, level="frame").encode(["so happy"])
    np.testing.assert_array_equal(without.values, result.values)


def test_encoder_of_other_translators():
    """BART's kin have no class without the decoder; theirs is put aside."""
    from transformers import AutoModel, BartConfig

    from feature_extraction.text.loading import _loader

    assert _loader(BartConfig()) is AutoModel


def test_token_types_of_gpt2(saved):
    """GPT-2 takes token types for words: with BERT's tokenizer the library adds the word of number 0 to every token."""
    import torch

    spec = saved("gpt2")
    theirs = build_encoder(dataclasses.replace(spec, options=(("token_types", True),), layers=(0,)), level="frame")
    plain = build_encoder(dataclasses.replace(spec, layers=(0,)), level="frame")
    (one,), (other,) = theirs.encode(["so"]), plain.encode(["so"])
    word = torch.nn.Module.get_parameter(plain.network, "wte.weight")[0].numpy()
    np.testing.assert_allclose(one.values, other.values + word, rtol=0, atol=1e-6)


def test_special_tokens_counted_in(saved):
    spec = saved("bert")
    everything = build_encoder(dataclasses.replace(spec, options=(("special_tokens", True),)), level="frame")
    (result,), (plain,) = everything.encode(["我很"]), build_encoder(spec, level="frame").encode(["我很"])
    assert result.times.tolist() == [[0, 0], [0, 1], [1, 2], [2, 2]]
    np.testing.assert_allclose(result.values[1:-1], plain.values, rtol=0, atol=1e-6)
    (long,) = everything.encode(["我很高兴" * 20])  # in several windows
    assert (long.times[:, 1] - long.times[:, 0]).tolist() == [0, *[1] * 80, 0]


def test_tokenizer_named_by_the_spec(saved, tmp_path):
    """As clue/albert_chinese_tiny: of type ALBERT, with a vocabulary of BERT's, and nothing that says so."""
    spec = saved("albert")
    folder = tmp_path / "albert"
    vocabulary = [token for token, _ in sorted(load(spec)[0].get_vocab().items(), key=lambda item: item[1])]
    (expected,) = build_encoder(spec, level="frame").encode(["我很高兴"])
    for path in folder.glob("*token*"):
        path.unlink()
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    named = dataclasses.replace(spec, options=(("tokenizer", "BertTokenizer"),))
    (result,) = build_encoder(named, level="frame").encode(["我很高兴"])
    np.testing.assert_array_equal(result.values, expected.values)


def test_tokenizer_that_is_to_be_converted(saved, tmp_path):
    """As microsoft/deberta-v2-xlarge, which has a SentencePiece model only: transformers asks for another package."""
    spec = saved("deberta-v2")
    for path in (tmp_path / "deberta-v2").glob("*token*"):
        path.unlink()
    (tmp_path / "deberta-v2" / "spm.model").write_bytes(b"not one")
    with pytest.raises(UserError, match=r"pip install 'mer-toolkit\[llm\]'"):
        build_encoder(spec)


def test_checkpoint_of_another_network(saved, tmp_path):
    from transformers import GPT2Model

    spec = saved("bert")
    GPT2Model.from_pretrained(saved("gpt2").checkpoint.removeprefix("hf:")).save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").rename(tmp_path / "bert" / "model.safetensors")
    with pytest.raises(UserError, match="is of another network"):
        build_encoder(spec)


def test_configuration_of_another_network(saved, tmp_path):
    spec = saved("bert")
    path = tmp_path / "bert" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"intermediate_size": 2 * config["intermediate_size"]}))
    with pytest.raises(UserError, match=r"'encoder\.layer\.0\.intermediate\.dense\..*they do not belong together"):
        build_encoder(spec)


def test_delta_weights_are_asked_for_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="lmsys/vicuna-7b-delta-v0, which python -m fastchat"):
        build_encoder(get_spec("vicuna-7b-v0", "text"))


def test_weights_in_the_folder_of_weights(saved, monkeypatch, tmp_path):
    spec = saved("llama")
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    local = dataclasses.replace(spec, checkpoint="local:llama/config.json")
    (one,), (other,) = build_encoder(local).encode(["so"]), build_encoder(spec).encode(["so"])
    np.testing.assert_array_equal(one.utterance, other.utterance)


def test_any_folder_by_name(saved, tmp_path):
    saved("qwen2")
    spec = find_spec(f"hf:{tmp_path / 'qwen2'}@layers-1", "text")
    assert (spec.family, spec.layers) == ("language", (-1,))
    (result,) = build_encoder(spec).encode(["so"])
    assert result.utterance.shape == (16,)


CODE = """
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel


class OwnConfig(LlamaConfig):
    model_type = "own-llama"


class OwnForCausalLM(LlamaForCausalLM):
    config_class = OwnConfig

    def forward(self, **inputs):
        raise RuntimeError("the head is not needed")
"""


def test_code_of_a_checkpoint_runs_when_trusted(saved, monkeypatch, tmp_path):
    """As Baichuan: its code offers a network with a head only, which is put aside."""
    import json

    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    spec = saved("llama")
    (expected,) = build_encoder(spec).encode(["so"])
    folder = tmp_path / "llama"
    (folder / "own.py").write_text(CODE, encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "own-llama", "architectures": ["OwnForCausalLM"]}
    config["auto_map"] = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnForCausalLM"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    spec = dataclasses.replace(spec, remote_code=True)
    with pytest.raises(UserError, match="--trust llama"):
        build_encoder(spec)
    (result,) = build_encoder(spec, trusted=["llama"]).encode(["so"])
    np.testing.assert_allclose(result.utterance, expected.utterance, rtol=0, atol=1e-6)


def test_catalogue():
    specs = {spec.name: spec for spec in all_specs("text").values() if spec.family == "language" and not spec.is_tiny}
    assert len(specs) > 60
    assert all(spec.layers == (-4, -3, -2, -1) and spec.combine == "sum" for spec in specs.values())
    billions = [spec for name, spec in specs.items() if re.search(r"-(6|7|13)b|wenzhong", name)]
    assert len(billions) > 18
    assert all(spec.precision == "bfloat16" for spec in billions if "@" not in spec.name)
    # Where MERTools computes other numbers: GPT-2 with token types, ChatGLM2 with its two special tokens.
    theirs = {name for name in specs if name.endswith("@mertools")}
    assert theirs == {"gpt2-chinese-cluecorpussmall@mertools", "chatglm2-6b@mertools"}
