"""The mean over views of a clip, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from baseline.face_clips.clip import Clip, ClipSource
from baseline.fine_tuning.classes import Classes
from baseline.fine_tuning.example import ExampleMaker
from baseline.fine_tuning.feed import Examples, Unread
from baseline.fine_tuning.scoring import say
from baseline.fine_tuning.settings import AugmentationSettings, LearningSettings, PictureSettings
from baseline.fine_tuning.values import Values
from toolkit.errors import ClipError
from toolkit.status import Status


class Numbered(Clip):
    """A clip whose pictures have their numbers as colour."""

    def __init__(self, name, count, width=4):
        super().__init__(name, np.arange(count) / 25, None)
        self._width = width

    def pictures(self, numbers):
        pictures = np.ones((len(numbers), 4, self._width, 3)) * numbers[:, None, None, None]
        if self._width > 4:
            pictures[:, :, 4:] += 100
        return pictures.astype(np.uint8)


class Numbers(ClipSource):
    """Clips of so many pictures; a clip of none cannot be read."""

    def __init__(self, *counts, width=4):
        self.names, self.left_out = [f"c{count}" for count in counts], {}
        self._counts, self._width = counts, width

    def open(self, number):
        if not self._counts[number]:
            raise ClipError(Status.UNREADABLE, "no pictures")
        return Numbered(self.names[number], self._counts[number], self._width)


class MeanColour(torch.nn.Module):
    """Says the mean number of the pictures of a view."""

    def forward(self, inputs):
        return (inputs["video"][:, 0].mean(dim=(1, 2, 3)) * 0.229 + 0.485)[:, None] * 255


def speaker(goal, outputs=None):
    """Stands for a learner."""
    network = MeanColour()
    learning = LearningSettings(batch_size=4)
    given = outputs or (lambda inputs: network(inputs))
    return SimpleNamespace(
        network=network, goal=goal, device=torch.device("cpu"), outputs=given, config=SimpleNamespace(learning=learning)
    )


def maker(**pictures):
    return ExampleMaker(("video",), 4, 0, PictureSettings(**{"step": 1, **pictures}), AugmentationSettings())


def test_a_value_is_the_mean_of_beginning_and_end():
    """Of 40 pictures, 0 to 15 and 24 to 39 are seen: means of 7.5 and 31.5."""
    examples = Examples(Numbers(40, 16, 100), ["c40", "c16", "c100"], maker().to_score, 0)
    said = say(speaker(Values(("number",))), examples, views=4)
    assert said.by_name["c40"] == pytest.approx([(7.5 + 31.5) / 2], abs=1e-3)
    assert said.by_name["c16"] == pytest.approx([7.5], abs=1e-3)
    assert said.by_name["c100"] == pytest.approx([(7.5 + 91.5) / 2], abs=1e-3)


def test_probabilities_are_averaged_not_logits():
    """Two views, whose probabilities are 1/5 and 3/4 of the second class: 0.475, where logits would give 0.464."""
    logits = iter([torch.tensor([[0.0, np.log(1 / 4)], [0.0, np.log(3)]])])
    examples = Examples(Numbers(40), ["c40"], maker().to_score, 0)
    said = say(speaker(Classes(("no", "yes")), lambda _: next(logits)), examples, views=4)
    assert said.by_name["c40"] == pytest.approx([0.525, 0.475], abs=1e-6)


def test_parts_of_a_wide_picture_are_views_too():
    """Both ends of 4 x 8 pixels, the right one 100 brighter, at two times: 7.5, 107.5, 31.5, 131.5."""
    examples = Examples(Numbers(40, width=8), ["c40"], maker(resize="short_side").to_score, 0)
    _, inputs = examples[0]
    means = (inputs["video"][:, 0].mean(dim=(1, 2, 3)) * 0.229 + 0.485) * 255
    assert means.tolist() == pytest.approx([7.5, 107.5, 31.5, 131.5], abs=1e-3)
    said = say(speaker(Values(("number",))), examples, views=4)
    assert said.by_name["c40"] == pytest.approx([69.5], abs=1e-3)


def test_doubles_are_made_on_the_cpu_alone(monkeypatch):
    """Apple's GPUs have none; here a tensor that is not yet on the CPU refuses."""

    class Elsewhere(torch.Tensor):
        def double(self):
            raise TypeError("no doubles here")

        def cpu(self):
            return self.as_subclass(torch.Tensor)

    goal = Values(("number",))
    monkeypatch.setattr(goal, "said", lambda outputs: outputs.as_subclass(Elsewhere))
    said = say(speaker(goal), Examples(Numbers(16), ["c16"], maker().to_score, 0), views=4)
    assert said.by_name["c16"] == pytest.approx([7.5], abs=1e-3)


def test_of_no_clips_nothing_is_said_by_workers():
    assert say(speaker(Values(("number",))), Examples(Numbers(), [], maker().to_score, 0), 4, workers=2) == ({}, [])


def test_what_cannot_be_read_is_said_and_gets_the_prior():
    examples = Examples(Numbers(0, 16), ["c0", "c16"], maker().to_score, 0)
    said = say(speaker(Values(("number",))), examples, views=4)
    assert said.unread == [Unread("c0", Status.UNREADABLE, "no pictures")]
    assert said.table(["c0", "c16"], np.array([42.0])) == pytest.approx(np.array([[42.0], [7.5]]), abs=1e-3)


def test_what_is_drawn_depends_on_the_name_alone():
    source = Numbers(200, 300)
    alone = Examples(source, ["c300"], maker(step=4).to_learn, 3, "learn", "epoch 1")
    both = Examples(source, ["c200", "c300"], maker(step=4).to_learn, 3, "learn", "epoch 1")
    assert torch.equal(alone[0][1]["video"], both[1][1]["video"])
    other = Examples(source, ["c300"], maker(step=4).to_learn, 3, "learn", "epoch 2")
    assert not torch.equal(alone[0][1]["video"], other[0][1]["video"])
