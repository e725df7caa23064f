"""HiCMAE against the authors' numbers, names and sizes, and what either stream gives alone."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from references.hicmae import differences
from toolkit.errors import UserError
from toolkit.models.hicmae import Hicmae
from toolkit.models.hicmae_fine_tuning import HicmaeFineTuning
from toolkit.models.hicmae_pretraining import HicmaePretraining
from toolkit.models.masked_autoencoder import autoencoders
from toolkit.models.stream_contrast import contrast
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.masks import Split
from toolkit.models.transformer.spectrogram import SpectrogramShape

TINY = Hicmae.sizes["tiny-test"]._replace(shape=ClipShape(32), spectrogram=SpectrogramShape(64, 32))


def batch(clips: int = 2) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        "video": torch.randn(clips, 3, 16, 32, 32, generator=random),
        "audio": torch.randn(clips, 1, 64, 32, generator=random),
    }


@pytest.fixture
def reading() -> HicmaeFineTuning:
    """A small network with weights that are nowhere zero or one."""
    torch.manual_seed(0)
    network = HicmaeFineTuning(TINY, 3)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.2 * torch.randn_like(weight)
    return network.eval()


@pytest.mark.parametrize("case", ["a_pretrain", "a_finetune", "c_finetune"])
def test_numbers_are_those_of_the_authors(parity, case):
    found = differences(parity / f"hicmae_{case}.safetensors")
    assert [one for one in found if one.share > 1] == []
    assert len(found) == {"a_pretrain": 34, "a_finetune": 19, "c_finetune": 17}[case]


@pytest.mark.parametrize("size", ["base", "small", "tiny"])
def test_published_sizes(parity, size):
    """Names, shapes, parameters, multiplications, layers for the decay of rates, and what weight decay acts on."""
    theirs = json.loads((parity / f"hicmae_{size}_finetune_keys.json").read_text())
    with torch.device("meta"):
        network = Hicmae.fine_tuning(Hicmae.sizes[size], 6, drop_path=0.1).eval().to("meta")  # the tables of positions
        inputs = {"video": torch.empty(1, 3, 16, 160, 160), "audio": torch.empty(1, 1, 256, 128)}
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(inputs)
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == theirs["state_dict"]
    assert sum(weight.numel() for weight in network.parameters()) == theirs["n_params"]
    assert counter.get_total_flops() == pytest.approx(theirs["flops_torch"], rel=1e-3)
    groups = theirs["layer_decay_groups"]["params"]
    for name, weight in network.named_parameters():
        assert network.layer_of(name) == groups[name]["layer_id"], name
        assert 0.75 ** (network.top_layer - network.layer_of(name)) == pytest.approx(groups[name]["lr_scale"])
        assert network.decays(name, weight) == (groups[name]["weight_decay"] > 0), name

    theirs = json.loads((parity / f"hicmae_{size}_pretrain_keys.json").read_text())
    with torch.device("meta"):
        network = Hicmae.pretraining(Hicmae.sizes[size])
    assert {name: list(tensor.shape) for name, tensor in network.state_dict().items()} == theirs["state_dict"]
    assert sum(weight.numel() for weight in network.parameters()) == theirs["n_params"]


@pytest.mark.parametrize("size", ["base", "small", "tiny"])
def test_sizes_are_known_from_tensors(size):
    with torch.device("meta"):
        pretrained = Hicmae.pretraining(Hicmae.sizes[size]).state_dict()
        tuned = Hicmae.fine_tuning(Hicmae.sizes[size], 6).state_dict()
    assert Hicmae.size_of(pretrained) == Hicmae.sizes[size]
    expected = Hicmae.sizes[size]
    streams = (stream._replace(decoder=DecoderSize()) for stream in (expected.video, expected.audio))
    assert Hicmae.size_of(tuned)[:-1] == expected._replace(**dict(zip(("video", "audio"), streams, strict=True)))[:-1]
    assert autoencoders.get("hicmae") is Hicmae


def test_tensors_of_others_are_refused():
    with pytest.raises(UserError, match=r"not of the family 'hicmae': there is no 'encoder_audio\.patch_embed"):
        Hicmae.size_of({"encoder.patch_embed.proj.weight": torch.zeros(1)})


def test_what_pretraining_hands_on(parity):
    """All but decoders and mask tokens; new are the layer weights and what stands at the top."""
    weights = {
        stage: {
            name.removeprefix("weights/"): tensor
            for name, tensor in load_file(parity / f"hicmae_a_{stage}.safetensors").items()
            if name.startswith("weights/")
        }
        for stage in ("pretrain", "finetune")
    }
    handed = Hicmae.for_fine_tuning(weights["pretrain"])
    tops = {f"{part}.{kind}" for part in ("fc_norm", "head") for kind in ("weight", "bias")}
    assert weights["finetune"].keys() - handed.keys() == {"video_layer_weights", "audio_layer_weights"} | tops
    assert all("decoder" in name or "mask_token" in name for name in handed.keys() - weights["finetune"].keys())
    for name in handed.keys() & weights["finetune"].keys():
        assert torch.equal(handed[name], weights["finetune"][name]), name


def test_a_stream_alone(reading):
    """The weighted mean of its layers, with the share of the last weights that is its own."""
    inputs, dim = batch(), TINY.video.dim
    for stream, encoder, weights, start in (
        ("video", reading.encoder, reading.video_layer_weights, 0),
        ("audio", reading.encoder_audio, reading.audio_layer_weights, dim),
    ):
        layers = [encoder.norm(tokens).mean(dim=1) for tokens in encoder.layers(inputs[stream])]
        shares = weights.exp() / weights.exp().sum()
        mean = shares[0] * layers[0] + shares[1] * layers[1]
        own = slice(start, start + dim)
        expected = functional.layer_norm(mean, (dim,), reading.fc_norm.weight[own], reading.fc_norm.bias[own], 1e-6)
        ours = reading({stream: inputs[stream]})
        torch.testing.assert_close(ours.features, expected, rtol=1e-5, atol=1e-5)
        logits = expected @ reading.head.weight[:, own].T + reading.head.bias
        torch.testing.assert_close(ours.logits, logits, rtol=1e-5, atol=1e-5)


def test_a_stream_alone_trains_what_it_uses(reading):
    reading({"audio": batch()["audio"]}).logits.square().sum().backward()
    trained = {name for name, weight in reading.named_parameters() if weight.grad is not None}
    tops = {"audio_layer_weights", "fc_norm.weight", "fc_norm.bias", "head.weight", "head.bias"}
    assert trained == tops | {name for name, _ in reading.named_parameters() if name.startswith("encoder_audio.")}


def test_no_stream_at_all(reading):
    with pytest.raises(ValueError, match=r"a batch of \['text'\], expected video, audio or both"):
        reading({"text": torch.zeros(1, 1)})


def test_clips_do_not_see_each_other(reading):
    inputs = batch(3)
    together = reading(inputs)
    for number in range(3):
        alone = reading({stream: tensor[number : number + 1] for stream, tensor in inputs.items()})
        torch.testing.assert_close(alone.features[0], together.features[number], rtol=1e-4, atol=1e-5)


def test_features_over_time(reading):
    """Their mean, before it is normalised, is the feature of the clip; sound of four steps is spread over eight."""
    with torch.no_grad():
        reading.fc_norm.weight.fill_(1)
        reading.fc_norm.bias.zero_()
    inputs, dim = batch(), TINY.video.dim
    steps = reading.over_time(inputs)
    assert steps.shape == (2, 8, 4 * dim)
    alone = reading.over_time({"audio": inputs["audio"]})
    assert alone.shape == (2, 4, dim)
    means = reading._means(inputs)
    assert [part.shape[1] for part in means] == [8, 4, 8, 4]
    first = torch.cat([means[0][:, 5], means[1][:, 2], means[2][:, 5], means[3][:, 2]], dim=1)
    torch.testing.assert_close(steps[:, 5], functional.layer_norm(first, (4 * dim,)), rtol=1e-4, atol=1e-4)
    whole = functional.layer_norm(torch.cat([part.mean(dim=1) for part in means], dim=1), (4 * dim,))
    torch.testing.assert_close(reading(inputs).features, whole, rtol=1e-4, atol=1e-5)


def test_branches_are_left_out_of_encoders_and_fusion():
    with torch.device("meta"):
        network = Hicmae.fine_tuning(Hicmae.sizes["base"], 6, drop_path=0.1)
    for blocks in (network.encoder.blocks, network.encoder_audio.blocks):
        assert [block.drop_path.rate for block in blocks] == pytest.approx([i / 90 for i in range(10)])
    for blocks in (network.encoder_fusion.blocks, network.encoder_fusion.blocks_audio):
        assert [block.drop_path.rate for block in blocks] == pytest.approx([0, 0.1])


def test_first_weights():
    torch.manual_seed(0)
    network = HicmaeFineTuning(TINY, 3)
    torch.testing.assert_close(network.video_layer_weights, torch.full((2,), 0.5))
    assert network.head.weight.abs().max() <= 0.001 / 256**0.5  # torch's uniform range, a thousandth of it
    assert network.encoder.blocks[0].mlp.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    widest = HicmaePretraining(TINY).encoder_fusion.blocks[0].mlp.fc1.weight.abs().max().item()
    assert widest == pytest.approx((6 / (64 + 256)) ** 0.5, rel=0.01)


def test_masks_hide_what_the_recipe_says():
    with torch.device("meta"):
        network = Hicmae.pretraining(Hicmae.sizes["base"])
    masks = network.draw_masks(2, np.random.RandomState(0))
    assert (~masks["video"]).sum(dim=1).tolist() == [80, 80]
    assert (~masks["audio"]).sum(dim=1).tolist() == [26, 26]


def test_what_is_hidden_is_not_seen():
    """Other hidden pixels and frequencies, other targets, but the same predictions."""
    torch.manual_seed(0)
    network, inputs = HicmaePretraining(TINY), batch()
    masks = network.draw_masks(2, np.random.RandomState(0))
    before = network(inputs, masks)
    tubelets = TINY.shape.tubelets(inputs["video"]).flatten(1, 3).clone()
    tubelets[masks["video"]] += 1
    squares = TINY.spectrogram.patches(inputs["audio"]).clone()
    squares[masks["audio"]] *= -2
    changed = {
        "video": TINY.shape.video(tubelets.unflatten(1, TINY.shape.grid)),
        "audio": TINY.spectrogram.audio(squares),
    }
    after = network(changed, masks)
    for stream in ("video", "audio"):
        assert not torch.equal(changed[stream], inputs[stream])
        torch.testing.assert_close(after.predictions[stream], before.predictions[stream])
    torch.testing.assert_close(after.targets["audio"], -before.targets["audio"], rtol=1e-4, atol=1e-4)


def test_streams_of_two_depths():
    """With heads and decoders of their own, a tap below the top of one of them, and weights in the loss."""
    torch.manual_seed(0)
    audio = TINY.audio._replace(depth=3, heads=4, decoder=DecoderSize(32, 2, 2))
    network, inputs = HicmaePretraining(TINY._replace(audio=audio), contrast_weight=0.5, temperature=0.2), batch()
    masks = network.draw_masks(2, np.random.RandomState(0))
    rebuilt = network(inputs, masks)
    parts = rebuilt.parts
    assert rebuilt.loss.item() == pytest.approx((parts["video"] + parts["audio"] + 0.5 * parts["contrast"]).item())
    rebuilt.loss.backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []

    seen, heard = (Split.of(masks[stream], torch.device("cpu")).visible for stream in ("video", "audio"))
    video = network.encoder.norm(list(network.encoder.layers(inputs["video"], seen))[1])
    sound = network.encoder_audio.norm(list(network.encoder_audio.layers(inputs["audio"], heard))[1])
    torch.testing.assert_close(parts["contrast"], contrast([(video, sound)], 0.2))


def test_half_precision_is_near():
    torch.manual_seed(0)
    network, inputs = HicmaePretraining(TINY), batch()
    masks = network.draw_masks(2, np.random.RandomState(0))
    whole = network(inputs, masks)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(inputs, masks)
    assert half.loss.dtype == torch.float32
    for stream in ("video", "audio"):
        assert half.predictions[stream].dtype == torch.bfloat16
        assert torch.equal(half.targets[stream], whole.targets[stream])
    assert half.loss.item() == pytest.approx(whole.loss.item(), rel=5e-3)


def test_right_predictions_rebuild_the_clip():
    network, inputs = HicmaePretraining(TINY), batch()
    inputs["video"] = inputs["video"].clamp(-1, 1)  # so that no pixel leaves [0, 1]
    masks = network.draw_masks(2, np.random.RandomState(0))
    targets = network(inputs, masks).targets
    rebuilt = network.rebuilt(inputs, masks, targets)
    torch.testing.assert_close(rebuilt["audio"], inputs["audio"], rtol=1e-4, atol=1e-5)
    mean, deviation = (torch.tensor(v).view(3, 1, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(rebuilt["video"], inputs["video"] * deviation + mean, rtol=1e-4, atol=1e-5)


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match=r"decoders of \[2\] blocks for 2 taps"):
        HicmaePretraining(TINY._replace(taps=(0, 1)))
    with pytest.raises(ValueError, match="streams 64 and 128 wide cannot be contrasted"):
        HicmaePretraining(TINY._replace(audio=TINY.audio._replace(dim=128)))
