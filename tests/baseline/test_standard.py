import pytest
import torch

from baseline.dataset import Inputs, Targets
from baseline.standard import Standard

NAN = float("nan")


def inputs(values, present=None) -> Inputs:
    values = torch.tensor(values)
    present = torch.ones(len(values), dtype=torch.bool) if present is None else torch.tensor(present)
    return Inputs(tuple(map(str, range(len(values)))), {"x": values}, {"x": present})


def targets(*valence: float) -> Targets:
    return Targets(torch.zeros(len(valence), dtype=torch.int64), torch.tensor(valence), torch.zeros(len(valence), 0))


def test_by_hand():
    clips = inputs([[1.0, 7.0], [3.0, 7.0], [99.0, 99.0], [1e9, 7.0]], [True, True, False, False])
    standard = Standard.fit(clips, targets(*[NAN] * 4), torch.arange(4))
    assert standard.mean["x"].tolist() == [2.0, 7.0]
    assert standard.deviation["x"].tolist() == [1.0, 1.0]  # a constant feature is only centred
    assert standard.valence.isnan().all()
    assert standard.usual_valence.isnan()
    everywhere = Inputs(clips.names, clips.values, {"x": torch.tensor([True, True, False, True])})
    scaled = standard.apply(everywhere)
    assert scaled.present["x"].tolist() == [True, True, False, True]
    assert scaled.values["x"].tolist() == [[-1, 0], [1, 0], [0, 0], [5, 0]]


def test_of_some_clips():
    standard = Standard.fit(inputs([[1.0], [3.0], [50.0]]), targets(2.0, 6.0, 50.0), torch.tensor([0, 1]))
    assert standard.mean["x"].tolist() == [2.0]
    assert standard.valence.tolist() == [4.0, 2.0]
    assert standard.usual_valence == 4.0


@pytest.mark.parametrize("scale", [1e-20, 1e-7, 1.0, 1e7])
def test_features_of_any_scale(scale):
    scaled = Standard.fit(inputs([[scale], [3 * scale]]), targets(0.0, 0.0), torch.arange(2))
    torch.testing.assert_close(scaled.apply(inputs([[scale], [3 * scale]])).values["x"], torch.tensor([[-1.0], [1.0]]))


def test_rounding_is_no_feature():
    """A constant of 1e3 that was summed up in another order here and there."""
    values = [[1000.0], [1000.0001], [1000.0], [999.9999]]
    assert inputs(values).values["x"].unique().numel() == 3
    assert Standard.fit(inputs(values), targets(*[0.0] * 4), torch.arange(4)).deviation["x"].tolist() == [1.0]


def test_neutral_leaves_all_as_it_is():
    clips = inputs([[1.0, 7.0], [3.0, 99.0]])
    standard = Standard.neutral(clips, targets(1.0, 4.0), torch.tensor([1]))
    assert torch.equal(standard.apply(clips).values["x"], clips.values["x"])
    assert standard.valence.tolist() == [0.0, 1.0]
    assert standard.usual_valence == 4.0
    assert Standard.neutral(clips, targets(1.0, NAN), torch.tensor([1])).valence.isnan().all()


@pytest.mark.parametrize("measured", [Standard.fit, Standard.neutral])
def test_feature_that_no_training_clip_has_is_not_present(measured):
    """Its encoder has learnt nothing, so what a test clip has of it must not count."""
    train = inputs([[1.0], [3.0], [5.0]], [False, False, True])
    clips = inputs([[2.0], [4.0]])
    standard = measured(train, targets(1.0, 2.0, 3.0), torch.tensor([0, 1]))
    assert not standard.apply(clips).present["x"].any()
    assert not standard.apply(clips).values["x"].any()
    assert not standard.usable(clips).any()
    assert measured(train, targets(1.0, 2.0, 3.0), torch.tensor([1, 2])).usable(clips).all()
