"""Steps of a pretraining."""

import pytest
import torch

from baseline.face_clips.pixels import normalised
from baseline.face_clips.stream import ClipBatch, Draw
from baseline.pretraining.networks import build
from baseline.pretraining.team import Team
from baseline.pretraining.training import Training
from toolkit.errors import UserError


def batches(count, clips=2, first=0):
    generator = torch.Generator().manual_seed(first)
    for number in range(count):
        draws = [Draw(0, first + clips * number + clip) for clip in range(clips)]
        video = torch.randint(0, 256, (clips, 16, 64, 64, 3), generator=generator, dtype=torch.uint8)
        yield ClipBatch(draws, [draw.number for draw in draws], {"video": video}, {})


def training(settings, steps=1):
    return Training(settings, build(settings), steps, Team("cpu"))


@pytest.mark.parametrize("model", ["videomae", "svfap"])
def test_the_mean_of_each_patch_has_a_loss_of_one(quickly, model):
    row = training(quickly(model=model)[0]).epoch(0, batches(1))
    assert row["patch_mean"] == pytest.approx(511 / 512, abs=1e-4)  # variances are unbiased
    assert list(row) == ["epoch", "steps", "learning_rate", "loss", "patch_mean", "loss_video", "gradient_norm"]


def test_parts_of_a_step_add_up_to_it(quickly):
    (batch,) = batches(1, clips=4)
    halves = [
        ClipBatch(batch.draws[part], batch.numbers[part], {"video": batch.tensors["video"][part]}, {})
        for part in (slice(0, 2), slice(2, 4))
    ]
    whole, parts = training(quickly(batch=4)[0]), training(quickly(batch=4, accumulate=2)[0])
    rows = [whole.epoch(0, iter([batch])), parts.epoch(0, iter(halves))]
    assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-6)
    assert rows[0]["gradient_norm"] == pytest.approx(rows[1]["gradient_norm"], rel=1e-5)
    for one, other in zip(*(t.optimizer.state_dict()["state"].values() for t in (whole, parts)), strict=True):
        torch.testing.assert_close(one["exp_avg"], other["exp_avg"], rtol=1e-4, atol=1e-7)


def test_the_rate_rises_and_falls_and_is_scaled_by_the_batch(quickly):
    settings = quickly(batch=128, epochs=4, warmup_epochs=2, learning_rate=0.02, last_learning_rate=0.002)[0]
    made = training(settings, steps=2)
    rates = [made.epoch(number, batches(2))["learning_rate"] for number in range(4)]
    assert rates[:2] == pytest.approx([0.01 / 3, 0.01])  # 0.02 for 256 clips; 4 steps of rise, both ends included
    assert rates[2] == pytest.approx(0.001 + 0.009 * (1 + 2**-0.5) / 2)
    assert rates[3] == pytest.approx(0.001 + 0.009 * (1 - 2**-0.5) / 2)


def test_weight_decay_spares_vectors_and_tokens(quickly):
    made = training(quickly(model="mae-dfer")[0])
    decayed, spared = made.optimizer.param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.05, 0.0)
    names = {parameter: name for name, parameter in made.network.named_parameters()}
    assert all(parameter.dim() > 1 for parameter in decayed["params"])
    matrices = {names[parameter] for parameter in spared["params"] if parameter.dim() > 1}
    assert matrices == {"mask_token", "encoder.lg_region_tokens"}
    assert len(names) == len(decayed["params"]) + len(spared["params"])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_are_short_and_targets_are_not(quickly, dtype):
    made = training(quickly(dtype=dtype)[0])
    (batch,) = batches(1)
    inputs, masks = made.inputs(batch.tensors), made.masks(batch.draws)
    short = made.rebuild(inputs, masks)
    exact = training(quickly()[0]).rebuild(inputs, masks)
    assert short.predictions["video"].dtype == getattr(torch, dtype)
    assert torch.equal(short.targets["video"], exact.targets["video"])
    assert short.loss.dtype == torch.float32
    assert short.loss.item() == pytest.approx(exact.loss.item(), rel=5e-3)
    row = made.epoch(0, batches(1))
    assert row["gradient_norm"] == pytest.approx(training(quickly()[0]).epoch(0, batches(1))["gradient_norm"], rel=0.05)


def test_steps_of_float16_without_a_finite_gradient_are_counted_and_left_out(quickly):
    made = training(quickly(dtype="float16", warmup_epochs=0)[0], steps=2)
    made.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60, backoff_factor=2.0**-50)
    before = made.network.mask_token.clone()
    row = made.epoch(0, batches(2))
    assert row["skipped_steps"] == 1
    second = training(quickly()[0]).epoch(0, batches(2))["gradient_norm"]
    assert row["gradient_norm"] == pytest.approx(second, rel=0.5)
    assert not torch.equal(made.network.mask_token, before)


def test_an_epoch_of_skipped_steps_has_no_gradient(quickly):
    made = training(quickly(dtype="float16", warmup_epochs=0)[0], steps=2)
    made.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    before = made.network.mask_token.clone()
    row = made.epoch(0, batches(2))
    assert (row["skipped_steps"], row["gradient_norm"]) == (2, 0)
    assert torch.equal(made.network.mask_token, before)


def test_a_batch_that_is_seen_again_and_again_is_learned(quickly):
    settings = quickly(batch=256, epochs=1, warmup_epochs=0, learning_rate=3e-3, mask_ratio=0.75)[0]
    made = training(settings, steps=150)
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    picture = ((rows * 3 + columns * 5) % 256).to(torch.uint8)[None, None, :, :, None].expand(2, 16, 64, 64, 3)
    batch = ClipBatch([Draw(0, 0), Draw(0, 1)], [0, 1], {"video": picture}, {})
    made.epoch(0, iter([batch] * 150))
    after = made.rebuild({"video": normalised(picture)}, made.masks(batch.draws)).loss.item()
    assert after < 0.7, "well under the mean of each patch, which has 1"


def test_masks_depend_on_the_draw_alone(quickly):
    made = training(quickly()[0])
    together = made.masks([Draw(0, 1), Draw(0, 2), Draw(1, 1)])["video"]
    assert torch.equal(made.masks([Draw(0, 2)])["video"][0], together[1])
    assert not torch.equal(together[0], together[2])


def test_a_loss_that_is_not_finite_ends_the_training(quickly):
    made = training(quickly()[0])
    with torch.no_grad():
        made.network.mask_token.fill_(float("nan"))
    with pytest.raises(UserError, match="not finite in epoch 2"):
        made.epoch(2, batches(1))


def test_a_loss_that_is_not_finite_is_seen_before_the_epoch_ends(quickly, monkeypatch):
    monkeypatch.setattr("baseline.pretraining.training.CHECKED", 2)
    made = training(quickly()[0], steps=9)
    with torch.no_grad():
        made.network.mask_token.fill_(float("nan"))
    left = batches(9)
    with pytest.raises(UserError, match="not finite in epoch 0"):
        made.epoch(0, left)
    assert len(list(left)) == 7, "two steps were taken"
