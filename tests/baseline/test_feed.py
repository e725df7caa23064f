import numpy as np
import pytest
import torch

from baseline.config import TrainingSettings
from baseline.dataset import Examples, Inputs, Targets
from baseline.feed import Feed
from baseline.lesson import Lesson


def pool(clips: int = 7) -> Examples:
    values = {"x": torch.arange(clips * 2.0).reshape(clips, 2), "y": torch.ones(clips, 3)}
    present = {"x": torch.ones(clips, dtype=torch.bool), "y": torch.arange(clips) != 2}
    targets = Targets(torch.arange(clips), torch.arange(clips) / 2, torch.zeros(clips, 0))
    return Examples(Inputs(tuple(map(str, range(clips))), values, present), targets)


def lesson(seed: int = 0, rows: tuple[int, ...] = (0, 1, 2, 3, 5), **options) -> Lesson:
    return Lesson(options.pop("pool", None) or pool(), torch.tensor(rows), None, seed, **options)


def feed(lessons: list[Lesson], which: list[int], **settings) -> Feed:
    return Feed(lessons, which, TrainingSettings(batch_size=2, **settings))


def test_a_pass_shows_every_training_clip_once():
    batches = list(feed([lesson()], [0]))
    assert [batch.targets.emotion.shape for batch in batches] == [(1, 2)] * 3
    seen = torch.cat([batch.targets.emotion[0] for batch in batches]).tolist()
    assert sorted(seen) == [-1, 0, 1, 2, 3, 5]
    assert seen[-1] == -1, "what fills the last batch up has no label"
    assert not batches[-1].present["x"][0, 1]
    assert batches[-1].targets.valence[0, 1].isnan()


def test_features_go_with_their_labels():
    for batch in feed([lesson(normalise=False)], [0], normalise=False):
        known = batch.targets.emotion[0] >= 0
        emotion = batch.targets.emotion[0][known]
        assert batch.features["x"][0][known].tolist() == [[2.0 * n, 2.0 * n + 1] for n in emotion.tolist()]
        assert batch.present["y"][0][known].tolist() == [n != 2 for n in emotion.tolist()]
        assert batch.targets.valence[0][known].tolist() == [n / 2 for n in emotion.tolist()]


def test_standardised_as_for_prediction():
    one = lesson()
    expected = one.standard.apply(one.pool.inputs)
    for batch in feed([one], [0]):
        rows = batch.targets.emotion[0][batch.targets.emotion[0] >= 0]
        torch.testing.assert_close(batch.features["x"][0, : len(rows)], expected.values["x"][rows])
        torch.testing.assert_close(batch.targets.valence[0, : len(rows)], one.targets.valence[rows])


def test_kept_within_the_limit_as_for_prediction():
    """Row 6 did not train the standard; what is far outside of it must not drown all others."""
    clips = pool()
    clips.inputs.values["x"][5] = 1e6
    one, far = lesson(pool=clips), lesson(rows=(5,), pool=clips)
    far.__dict__["standard"] = one.standard._replace(mean={key: part * 0 for key, part in one.standard.mean.items()})
    far.standard.deviation["x"].fill_(10.0)
    (batch,) = feed([far], [0])
    assert batch.features["x"][0, 0].tolist() == [5.0, 5.0]


def test_lessons_decide_whether_features_stay_as_they_are():
    """Not the settings, which know nothing of what judging and saving use."""
    one = lesson(normalise=False)
    values = torch.cat([batch.features["x"][0] for batch in feed([one], [0], normalise=True)])
    assert values.max() == 11.0
    with pytest.raises(ValueError, match="either all lessons of a stack are standardised, or none is"):
        feed([one, lesson()], [0, 1])


@pytest.mark.parametrize("normalise", [True, False])
def test_feature_that_no_training_clip_has(normalise):
    clips = pool()
    clips.inputs.present["y"][:] = torch.arange(7) == 6
    (batch, *_) = feed([lesson(pool=clips, normalise=normalise)], [0])
    assert not batch.present["y"].any()


def test_order_changes_with_pass_and_seed_only():
    def orders(seed: int, beside: list[Lesson]) -> list[list[int]]:
        source = feed([lesson(seed), *beside], list(range(1 + len(beside))))
        return [[n for batch in source for n in batch.targets.emotion[0].tolist()] for _ in range(2)]

    assert orders(1, []) == orders(1, [lesson(2), lesson(3)])
    assert orders(1, [])[0] != orders(1, [])[1]
    assert orders(1, []) != orders(2, [])


def test_models_of_a_lesson_get_the_same():
    first, second = lesson(1), lesson(2, rows=(6, 5, 4, 3, 2))
    for batch in feed([first, second], [1, 0, 1]):
        assert torch.equal(batch.targets.emotion[0], batch.targets.emotion[2])
        assert not torch.equal(batch.targets.emotion[0], batch.targets.emotion[1])
        assert torch.equal(batch.features["x"][0], batch.features["x"][2])


def test_lessons_with_pools_of_their_own():
    alone = [batch.features["x"] for batch in feed([lesson(1)], [0])]
    beside = [batch.features["x"] for batch in feed([lesson(1, pool=pool(9)), lesson(1)], [0, 1])]
    for one, both in zip(alone, beside, strict=True):
        assert torch.equal(one[0], both[1])


def test_modality_dropout_leaves_one():
    hidden = np.zeros(2)
    for seed in range(40):
        for batch in feed([lesson(seed)], [0], modality_dropout=0.5):
            known = batch.targets.emotion[0] >= 0
            assert (batch.present["x"][0] | batch.present["y"][0])[known].all()
            hidden += [(~batch.present[key][0][known]).sum().item() for key in "xy"]
    assert (hidden > 20).all()


@pytest.mark.parametrize("probability", [0.25, 0.5])
def test_modality_dropout_hides_that_share(probability):
    """Of two features, one is hidden in p(1 - p) of the clips each; where both would be, both stay."""
    many = Examples(pool(4000).inputs, pool(4000).targets)
    one = Lesson(many, torch.arange(4000), None, 0)
    settings = TrainingSettings(batch_size=4000, modality_dropout=probability)
    batch = next(iter(Feed([one], [0], settings)))
    assert (~batch.present["x"]).float().mean().item() == pytest.approx(probability * (1 - probability), abs=0.025)
