"""Every loss against a slow computation of its formula over the clips that count, and where formulas break down."""

import itertools
import math

import pytest
import torch

from toolkit.models.losses import (
    central_moment_discrepancy,
    contrastive_prediction,
    difference,
    gaussian_information,
    maximum_mean_discrepancy,
    squared_error,
)

CLIPS, DIM = 7, 3
MASK = torch.tensor([True, True, False, True, True, False, True])
OTHER = torch.tensor([False, True, True, True, False, False, True])
SAMPLE = torch.randn(4, DIM, generator=torch.Generator().manual_seed(9))


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moments_by_hand(first, second):
    total = 0.0
    for order in range(1, 6):
        squares = 0.0
        for column in range(DIM):
            moment = []
            for values in (first, second):
                numbers = values[:, column].tolist()
                mean = sum(numbers) / len(numbers)
                powers = [(number - mean) ** order for number in numbers]
                moment.append(mean if order == 1 else sum(powers) / len(numbers))
            squares += (moment[0] - moment[1]) ** 2
        total += math.sqrt(squares)
    return total


def difference_by_hand(first, second):
    directions = []
    for values in (first, second):
        centred = values - values.mean(0)
        directions.append([(row / (row.norm() + 1e-6)).tolist() for row in centred])
    products = [
        sum(a[i] * b[j] for a, b in zip(*directions, strict=True)) for i, j in itertools.product(range(DIM), repeat=2)
    ]
    return sum(product**2 for product in products) / len(products)


def discrepancy_by_hand(values):
    def kernel(first, second):
        pairs = itertools.product(first.tolist(), second.tolist())
        means = [sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / DIM for x, y in pairs]
        return sum(math.exp(-mean / DIM) for mean in means) / len(means)

    return kernel(SAMPLE, SAMPLE) + kernel(values, values) - 2 * kernel(SAMPLE, values)


def contrast_by_hand(values, predicted):
    values, predicted = ([row / row.norm() for row in rows] for rows in (values, predicted))
    total = 0.0
    for number, value in enumerate(values):
        scores = [float(value @ other) for other in predicted]
        total += math.log(sum(map(math.exp, scores))) - scores[number]
    return total / len(values)


def information_by_hand(mean, log_variance, values):
    rows = zip(mean.tolist(), log_variance.tolist(), values.tolist(), strict=True)
    bounds = [sum(-((m - v) ** 2) / (2 * math.exp(s)) for m, s, v in zip(*row, strict=True)) for row in rows]
    return sum(bounds) / len(bounds)


def error_by_hand(values, targets):
    return ((values - targets) ** 2).sum().item() / values.numel()


def sampled(values, mask):
    return maximum_mean_discrepancy(values, SAMPLE.to(values), mask)


ONE_MASK = {  # the loss, its formula, and how many representations it takes
    "difference": (difference, difference_by_hand, 2),
    "discrepancy": (sampled, discrepancy_by_hand, 1),
    "contrast": (contrastive_prediction, contrast_by_hand, 2),
    "information": (gaussian_information, information_by_hand, 3),
    "error": (squared_error, error_by_hand, 2),
}
ALL = {name: (loss, count, 1) for name, (loss, _, count) in ONE_MASK.items()}
ALL["moments"] = (central_moment_discrepancy, 2, 2)
every_loss = pytest.mark.parametrize("name", ALL)


def call(name, values, mask=MASK, other=OTHER):
    loss, _, masks = ALL[name]
    return loss(*values, *(mask, other)[:masks])


def representations(name, *shape: int):
    return [draw(seed, *shape) for seed in range(ALL[name][1])]


@pytest.mark.parametrize("name", ONE_MASK)
def test_formula_over_the_clips_that_count(name):
    _, by_hand, _ = ONE_MASK[name]
    values = representations(name, CLIPS, DIM)
    expected = by_hand(*(part[MASK] for part in values))
    assert call(name, values).item() == pytest.approx(expected, rel=1e-6)


def test_moments_of_the_clips_that_each_has():
    first, second = draw(0, CLIPS, DIM), draw(1, CLIPS, DIM)
    expected = moments_by_hand(first[MASK], second[OTHER])
    assert central_moment_discrepancy(first, second, MASK, OTHER).item() == pytest.approx(expected, rel=1e-12)


@every_loss
def test_a_masked_clip_changes_nothing(name):
    values = representations(name, CLIPS, DIM)
    masks = (MASK, OTHER) if name == "moments" else (MASK,) * len(values)
    masks += (MASK,) * (len(values) - len(masks))
    results = []
    for fill in (0.0, 1e6, -3e30):
        filled = [
            torch.where(mask[:, None], part, fill).float().requires_grad_()
            for part, mask in zip(values, masks, strict=True)
        ]
        loss = call(name, filled)
        loss.backward()
        results.append([loss.detach(), *(part.grad for part in filled)])
        for part, mask in zip(filled, masks, strict=True):
            assert not part.grad[~mask].any()
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=0, atol=0)


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"difference"}))  # test_lengths_are_constants
def test_gradient_is_that_of_the_formula(name):
    values = [part.requires_grad_() for part in representations(name, CLIPS, DIM)]
    assert torch.autograd.gradcheck(lambda *parts: call(name, parts), values)


def test_lengths_are_constants():
    first, second = draw(0, CLIPS, DIM).requires_grad_(), draw(1, CLIPS, DIM)
    difference(first, second, MASK).backward()

    def centred(values):
        return values[MASK] - values[MASK].mean(0)

    lengths = centred(first).detach().norm(dim=1, keepdim=True)
    copy = first.detach().clone().requires_grad_()
    directions = centred(second) / (centred(second).norm(dim=1, keepdim=True) + 1e-6)
    ((centred(copy) / (lengths + 1e-6)).T @ directions).square().mean().backward()
    torch.testing.assert_close(first.grad, copy.grad)


@every_loss
@pytest.mark.parametrize("clips", [0, 1])
def test_a_batch_of_hardly_anything(name, clips):
    values = [part.float().requires_grad_() for part in representations(name, CLIPS, DIM)]
    mask = torch.arange(CLIPS) < clips
    loss = call(name, values, mask, mask)
    if clips == 0 or name in ("difference", "contrast"):  # of one clip there is nothing to tell apart
        assert loss == 0
    else:
        assert loss != 0
    loss.backward()
    for part in values:
        assert part.grad.isfinite().all()
        assert part.grad.any() == (loss != 0)


@every_loss
@pytest.mark.parametrize("content", ["equal", "zero"])
def test_gradients_are_finite_where_all_is_the_same(name, content):
    start = draw(0, CLIPS, DIM).float() * (content == "equal")
    values = [start.clone().requires_grad_() for _ in range(ALL[name][1])]
    loss = call(name, values, MASK, MASK)
    assert loss.isfinite()
    loss.backward()
    for part in values:
        assert part.grad.isfinite().all()


def test_equal_distributions_are_no_distance_apart():
    first = draw(0, CLIPS, DIM).requires_grad_()
    second = first.detach().flip(0).requires_grad_()
    loss = central_moment_discrepancy(first, second, MASK, MASK.flip(0))
    loss.backward()
    assert loss.item() < 1e-12
    assert first.grad.isfinite().all()


def test_a_vector_of_zeros_is_told_from_nothing():
    values, predicted = draw(0, 3, DIM), draw(1, 3, DIM)
    values[1] = 0
    everyone = torch.ones(3, dtype=torch.bool)
    alone = contrastive_prediction(values[[1]], predicted[[1]], everyone[:1])
    assert alone == 0
    whole = contrastive_prediction(values, predicted, everyone)
    rows = values[[0, 2]] / values[[0, 2]].norm(dim=1, keepdim=True)
    scores = rows @ (predicted / predicted.norm(dim=1, keepdim=True)).T
    told = scores.logsumexp(1) - scores[[0, 1], [0, 2]]
    assert whole.item() == pytest.approx((told.sum().item() + math.log(3)) / 3, rel=1e-9)


@every_loss
def test_leading_axes_are_losses_of_their_own(name):
    values = representations(name, 2, 4, CLIPS, DIM)
    masks = [draw(seed, 2, 4, CLIPS) > 0 for seed in (5, 6)]
    together = call(name, values, *masks)
    assert together.shape == (2, 4)
    for i, j in itertools.product(range(2), range(4)):
        alone = call(name, [part[i, j] for part in values], *(mask[i, j] for mask in masks))
        torch.testing.assert_close(together[i, j], alone, rtol=1e-12, atol=1e-15)
