"""Released files, made from the vectors in the authors' format, become networks that give the authors' numbers."""

import argparse
import os
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from references.vectors import Vectors
from toolkit.errors import UserError
from toolkit.models.checkpoint import load_checkpoint
from toolkit.models.hicmae_pretraining import HicmaePretraining
from toolkit.models.mae_dfer import MaeDfer, MaeDferFineTuning
from toolkit.models.masked_autoencoder import autoencoders
from toolkit.models.svfap import Svfap, SvfapFineTuning, SvfapPretraining
from toolkit.models.transformer.masks import Tube
from toolkit.models.videomae import VideoMaeFineTuning, VideoMaeSize

FINE_TUNED = (
    "maedfer_a", "maedfer_c", "maedfer_d", "maedfer_e_videomae", "maedfer_f_temporal", "svfap_a", "svfap_c", "hicmae_a",
    "hicmae_c",
)  # fmt: skip
PRETRAINED = ("maedfer_a", "maedfer_c", "maedfer_d", "maedfer_e_videomae", "svfap_a", "svfap_c", "hicmae_a")
FAMILIES = {"maedfer": "mae-dfer", "svfap": "svfap", "hicmae": "hicmae"}
TOKENS = {"region": "representatives", "org": "local", "all": "all"}
TINY = Svfap.sizes["tiny-test"]
SAID = {"shape.size": 64, "heads": 1}


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def released(path, weights, config=None, **more):
    """Writes a file as the authors' trainers do."""
    rates = {"lr": np.float64(1.5e-4), "weight_decay": np.float64(0.05), "params": [0]}
    arguments = argparse.Namespace(
        **(config or {}), batch_size=32, warmup_lr=np.float64(1e-6), output_dir="out", resume=""
    )
    optimizer = {"state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.zeros(3)}}, "param_groups": [rates]}
    content = {"model": weights, "optimizer": optimizer, "epoch": 99, "scaler": {"scale": 65536.0}, "args": arguments}
    torch.save(content | more, path)
    return path


def family(name):
    return "videomae" if "videomae" in name else FAMILIES[name.partition("_")[0]]


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FINE_TUNED)
def test_a_fine_tuned_file(parity, tmp_path, name):
    vectors = Vectors.read(parity / f"{name}_finetune.safetensors")
    path = released(tmp_path / "checkpoint-best.pth", vectors.group("weights"), vectors.facts["config"])
    options = {"order": "release"} if name == "maedfer_f_temporal" else {}
    network, _, report = load_checkpoint(path, **options)
    ours = network({stream: vectors.tensors[f"inputs/{stream}"] for stream in autoencoders.get(report.family).streams})
    close(ours.features, vectors.tensors["outputs/features"])
    close(ours.logits, vectors.tensors["outputs/logits"])
    assert (report.family, report.form) == (family(name), "fine-tuning")
    assert report.loaded == tuple(vectors.group("weights"))
    assert (report.left_out, report.new) == ((), ())


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_pretrained_file(parity, tmp_path, name):
    """As it is, its network predicts what the authors' does."""
    vectors = Vectors.read(parity / f"{name}_pretrain.safetensors")
    path = released(tmp_path / "checkpoint-99.pth", vectors.group("weights"), vectors.facts["config"])
    options = {"svfap": {"context": "release", "upsample": "release"}, "maedfer": {"order": "release"}}
    kind = "videomae" if "videomae" in name else name.partition("_")[0]
    network, _, report = load_checkpoint(path, **options.get(kind, {}))
    streams = {"video": "", "audio": "_audio"} if kind == "hicmae" else {"video": ""}
    ours = network(
        {stream: vectors.tensors[f"inputs/{stream}"] for stream in streams},
        {stream: vectors.tensors[f"inputs/mask{suffix}"] for stream, suffix in streams.items()},
    )
    for stream in streams:
        close(
            ours.predictions[stream], vectors.tensors[f"outputs/pred_{stream}" if len(streams) > 1 else "outputs/pred"]
        )
    assert (report.family, report.form) == (family(name), "pretraining")
    assert (report.left_out, report.new) == ((), ())


@pytest.mark.parametrize("name", PRETRAINED)
def test_fine_tuning_from_a_pretrained_file(parity, tmp_path, name):
    """With the layers that are new the network is the authors', and what is new and left out is what theirs says."""
    before, after = (Vectors.read(parity / f"{name}_{stage}.safetensors") for stage in ("pretrain", "finetune"))
    path = released(tmp_path / "checkpoint-99.pth", before.group("weights"), before.facts["config"])
    config, options = after.facts["config"], {}
    if "lg_classify_token_type" in config:
        options["mean_of"] = TOKENS[config["lg_classify_token_type"]]
    network, _, report = load_checkpoint(path, form="fine-tuning", outputs=config["num_classes"], **options)
    said = [sorted(re.findall(r"'([^']+)'", line)) for line in after.facts["load_messages"]]
    assert sorted(said) == sorted([list(report.new), list(report.left_out)])
    weights = after.group("weights")
    network.load_state_dict({one: weights[one] for one in report.new}, strict=False)
    ours = network({stream: after.tensors[f"inputs/{stream}"] for stream in autoencoders.get(report.family).streams})
    close(ours.logits, after.tensors["outputs/logits"])


def test_what_is_said(parity, tmp_path):
    vectors = Vectors.read(parity / "svfap_a_pretrain.safetensors")
    path = released(tmp_path / "checkpoint-99.pth", vectors.group("weights"), vectors.facts["config"])
    report = load_checkpoint(path, form="fine-tuning", outputs=7).report
    assert report.told == {"shape.size": 32, "depths": (2, 2, 2), "heads": 4}
    assert report.assumed == {"shape.frames": 16}
    assert str(report) == (
        "checkpoint-99.pth: svfap after pretraining, 136 tensors loaded, "
        "21 left out (decoder, encoder_to_decoder, mask_token, norm), 4 new (fc_norm, head); "
        "from its command line: shape.size 32, depths (2, 2, 2), heads 4; "
        "not stored, taken as published: shape.frames 16"
    )


@pytest.mark.parametrize(
    ("family", "standard", "advice"),
    [
        ("mae-dfer", {"order": "time"}, "order='release'"),
        ("svfap", {"context": "bottleneck", "upsample": "nearest"}, "context='release', upsample='release'"),
        ("videomae", {}, ""),
        ("hicmae", {}, ""),
    ],
)
def test_where_the_authors_code_departs_it_is_said_how_to_go_on(tmp_path, family, standard, advice):
    kind = autoencoders.get(family)
    weights = kind.pretraining(kind.sizes["tiny-test"]).state_dict()
    config = {"img_size": 64, "lg_region_size": [2, 2, 4]}
    report = load_checkpoint(released(tmp_path / "net.pth", weights, config)).report
    assert standard.items() <= report.assumed.items()
    assert str(report).partition("; to go on with what the authors' code has trained, load it with ")[2] == advice
    given = load_checkpoint(tmp_path / "net.pth", **dict.fromkeys(standard, "release")).report
    assert "to go on" not in str(given)
    assert not given.assumed.keys() & standard.keys()


def test_options_and_shares_that_this_project_keeps(tmp_path):
    """Those of pretraining as they were, unless others are asked for; values that an option cannot have are not."""
    size = autoencoders.get("hicmae").sizes["tiny-test"]
    weights = HicmaePretraining(size).state_dict()
    network = {"contrast_weight": 0.5, "temperature": True, "mask": "tube", "size": 3}
    said = {"img_size": 64, "network": network, "mask_ratio": 0.75, "audio_mask_ratio": 7.0}
    loaded, _, report = load_checkpoint(released(tmp_path / "net.pth", weights, said))
    assert (loaded.contrast_weight, loaded.temperature) == (0.5, 0.07)
    assert (loaded.mask.ratio, loaded.audio_mask.ratio) == (0.75, 0.8)
    assert {"contrast_weight": 0.5, "mask_ratio": 0.75}.items() <= report.told.items()
    assert not report.told.keys() & {"temperature", "mask", "size", "audio_mask_ratio"}
    other = load_checkpoint(tmp_path / "net.pth", contrast_weight=0, mask=Tube(0.5)).network
    assert (other.contrast_weight, other.mask.ratio) == (0, 0.5)


def test_a_published_size_without_a_command_line(tmp_path):
    with torch.device("meta"):
        shapes = {name: one.shape for name, one in SvfapFineTuning(Svfap.sizes["small"], 7).state_dict().items()}
    torch.save({name: torch.full((1,), 0.5).expand(shape) for name, shape in shapes.items()}, tmp_path / "net.pth")
    network, size, report = load_checkpoint(tmp_path / "net.pth")
    assert size == Svfap.sizes["small"]
    assert all(bool((weight == 0.5).all()) for weight in network.parameters())
    assert report.assumed == {"shape.size": 160, "shape.frames": 16, "depths": (8, 4, 2), "heads": 6}


@pytest.mark.parametrize("form", ["safetensors", "plain", "DeepSpeed"])
def test_other_wrappings(tmp_path, form):
    network = SvfapPretraining(TINY)
    path, weights = tmp_path / ("net.safetensors" if form == "safetensors" else "net.pt"), network.state_dict()
    if form == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights if form == "plain" else {"module": weights}, path)
    loaded = load_checkpoint(path, known=SAID)
    assert loaded.size == TINY
    assert all(torch.equal(one, weights[name]) for name, one in loaded.network.state_dict().items())


def test_prefix_of_a_backbone(tmp_path):
    network = SvfapFineTuning(TINY, 0)
    encoder = {f"backbone.{name}": one for name, one in network.state_dict().items() if not name.startswith("fc_norm")}
    loaded = load_checkpoint(released(tmp_path / "net.pth", encoder), form="fine-tuning", known=SAID)
    assert loaded.report.new == ("fc_norm.bias", "fc_norm.weight")
    assert torch.equal(loaded.network.blocks[3].cross_attn.kv.weight, network.blocks[3].cross_attn.kv.weight)


@pytest.mark.parametrize(("outputs", "new"), [(None, ()), (3, ()), (0, ()), (5, ("head.bias", "head.weight"))])
def test_last_layer(tmp_path, outputs, new):
    """Of the same shape it is kept, otherwise begun anew, and left out where nothing is to be predicted."""
    network = SvfapFineTuning(TINY, 3)
    path = released(tmp_path / "net.pth", network.state_dict(), {"input_size": 64})
    loaded = load_checkpoint(path, outputs=outputs, drop_path=0.1)
    assert loaded.report.new == new
    assert loaded.report.left_out == (() if outputs in (None, 3) else ("head.bias", "head.weight"))
    assert loaded.network.blocks[-1].drop_path.rate == pytest.approx(0.1)
    if outputs in (None, 3):
        assert torch.equal(loaded.network.head.weight, network.head.weight)
    else:
        assert (0 if loaded.network.head is None else loaded.network.head.out_features) == outputs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder.blocks.1.norm2.weight": None}, r"lacks 'encoder.blocks.1.norm2.weight' of shape \(64,\)"),
        ({"encoder.norm.bias": torch.zeros(3)}, r"has 'encoder.norm.bias' of shape \(3,\), expected \(64,\)"),
        ({"encoder.pos_embed": torch.zeros(1)}, "has 'encoder.pos_embed', which the network has not"),
    ],
    ids=["absent", "shape", "unknown"],
)
def test_the_first_difference_is_named(tmp_path, change, message):
    weights = {name: one for name, one in (SvfapPretraining(TINY).state_dict() | change).items() if one is not None}
    path = released(tmp_path / "net.pth", weights, {"input_size": 64})
    with pytest.raises(UserError, match=message):
        load_checkpoint(path)


def test_what_cannot_be_known(tmp_path):
    """Heads that are not of published width, stages that are of no published size."""
    narrow = SvfapFineTuning(TINY._replace(dim=24, heads=3)).state_dict()
    with pytest.raises(UserError, match=r"'heads', is not stored, and 24 numbers.*known={'heads': NUMBER}"):
        load_checkpoint(released(tmp_path / "net.pth", narrow))
    assert load_checkpoint(tmp_path / "net.pth", known={"heads": 3, "shape.size": 64}).size.heads == 3
    with pytest.raises(UserError, match=r"makes no network: 24 numbers of a token .* to 5 attention heads"):
        load_checkpoint(tmp_path / "net.pth", known={"heads": 5, "shape.size": 64})
    odd = SvfapFineTuning(TINY._replace(depths=(2, 4, 1)), 0).state_dict()
    with pytest.raises(UserError, match="weights do not say which stage a block is of"):
        load_checkpoint(released(tmp_path / "net.pth", odd, {"img_size": 64}))
    assert load_checkpoint(tmp_path / "net.pth", known={"depths": (2, 4, 1)}).size.depths == (2, 4, 1)
    with pytest.raises(UserError, match=r"'stages' is no field of TpsbtSize\. .*depths"):
        load_checkpoint(tmp_path / "net.pth", known={"stages": (2, 4, 1)})


def test_values_of_the_command_line_that_mean_nothing(tmp_path):
    """Are passed over, as what is not there is."""
    config = {"input_size": "big", "num_heads": True, "stage_depths": "2,2,1", "num_frames": None}
    path = released(tmp_path / "net.pth", SvfapFineTuning(TINY, 0).state_dict(), config)
    assert load_checkpoint(path, known={"shape.size": 64}).report.told == {}


def test_a_command_line_chooses_no_function(tmp_path):
    """Nor anything else that is not one of a few words."""
    size = MaeDfer.sizes["tiny-test"]
    config = {"input_size": 64, "lg_region_size": [2, 2, 4], "head_activation_func": "manual_seed"}
    weights = MaeDferFineTuning(size, 1).state_dict()
    path = released(
        tmp_path / "net.pth", weights, config | {"lg_classify_token_type": "every", "keep_temporal_dim": ""}
    )
    network, _, report = load_checkpoint(path)
    assert (network.head.activation, network.mean_of, network.per_picture) == (None, "representatives", False)
    assert report.assumed == {"shape.frames": 16, "heads": 1, "mean_of": "representatives", "order": "time"}
    config |= {"head_activation_func": "tanh", "lg_classify_token_type": "org", "keep_temporal_dim": True}
    network = load_checkpoint(released(path, weights, config)).network
    assert (network.head.activation, network.mean_of, network.per_picture) == ("tanh", "local", True)


def test_other_files(tmp_path):
    with pytest.raises(UserError, match=r"is of none of hicmae, mae-dfer, svfap, videomae\. It begins with 'weight'"):
        load_checkpoint(released(tmp_path / "net.pth", {"weight": torch.zeros(3, 2)}))
    fine_tuned = released(tmp_path / "tuned.pth", SvfapFineTuning(TINY, 3).state_dict(), {"input_size": 64})
    with pytest.raises(UserError, match="is of fine-tuning and lacks the decoder"):
        load_checkpoint(fine_tuned, form="pretraining")
    with pytest.raises(UserError, match=r"'drop' is no option of SvfapFineTuning\. Did you mean 'drop_path'"):
        load_checkpoint(fine_tuned, drop=0.1)
    with pytest.raises(UserError, match=r"tuned\.pth: .*not of the family 'mae-dfer'"):
        load_checkpoint(fine_tuned, family="mae-dfer")
    of_pictures = {"patch_embed.proj.weight": torch.zeros(64, 3, 16, 16), "blocks.0.attn.qkv.weight": torch.zeros(1)}
    with pytest.raises(UserError, match=r"flat\.pth has tensors of other numbers of dimensions"):
        load_checkpoint(released(tmp_path / "flat.pth", of_pictures), family="videomae")
    tokens = VideoMaeFineTuning(VideoMaeSize(TINY.shape, 64, 2, 1), 2, norm_tokens=True).state_dict()
    path = released(tmp_path / "tokens.pth", tokens, {"input_size": 64})
    with pytest.raises(UserError, match=r"lacks 'fc_norm\.weight'"):
        load_checkpoint(path)  # the mean of its tokens is not what is normalised
    assert load_checkpoint(path, norm_tokens=True).report.loaded == tuple(tokens)


def test_a_hostile_file(tmp_path):
    path = released(tmp_path / "net.pth", SvfapFineTuning(TINY, 3).state_dict(), args=Hostile(tmp_path / "harm"))
    with pytest.raises(
        UserError, match=r"^The checkpoint .* cannot be read safely: it asks for 'posix\.system'[^\n]*$"
    ):
        load_checkpoint(path)
    assert not (tmp_path / "harm").exists()
