"""Batches of clips."""

import weakref

import numpy as np
import pytest
import torch

from baseline.face_clips.clip import Clip, ClipSource
from baseline.face_clips.stream import ClipStream, Draw
from toolkit.errors import ClipError, UserError
from toolkit.status import Status


class Numbered(Clip):
    """A clip whose one pixel is its number."""

    def pictures(self, numbers):
        return np.full((len(numbers), 1, 1, 3), int(self.name), np.uint8)


class TenClips(ClipSource):
    """Ten clips, some of them broken."""

    def __init__(self, *broken):
        self.names, self.left_out, self._broken = [str(number) for number in range(10)], {}, broken

    def open(self, number):
        if number in self._broken:
            raise ClipError(Status.UNREADABLE, "broken")
        return Numbered(str(number), np.zeros(1), None)


def view(clip, chance):
    return {"number": clip.pictures(np.zeros(1, int))[0, 0, 0, :1], "chance": chance.random(2)}


def read(source, batches, **options):
    return list(ClipStream(source, view, seed=3, **options).read(batches))


BATCHES = [[Draw(0, 4), Draw(0, 1)], [Draw(0, 9), Draw(0, 4, 1)], [Draw(1, 4), Draw(1, 2)]]


def test_chance_belongs_to_a_draw_whatever_the_order_and_the_workers():
    alone, two = read(TenClips(), BATCHES), read(TenClips(), BATCHES, workers=2)
    turned = read(TenClips(), BATCHES[::-1])[::-1]
    for other in (two, turned):
        for one, same in zip(alone, other, strict=True):
            assert (one.draws, one.numbers) == (same.draws, same.numbers)
            assert torch.equal(one.tensors["chance"], same.tensors["chance"])
    chances = torch.cat([batch.tensors["chance"] for batch in alone])
    assert len(chances.unique(dim=0)) == 6, "no two draws see the same, not even of one clip"
    assert torch.cat([batch.tensors["number"] for batch in alone]).flatten().tolist() == [4, 1, 9, 4, 4, 2]


def test_the_next_clip_takes_the_place_of_one_that_cannot_be_read():
    (batch,) = read(TenClips(9, 0), [[Draw(0, 9), Draw(0, 5)]])
    assert batch.numbers == [1, 5]
    assert batch.tensors["number"].flatten().tolist() == [1, 5]
    assert {name: str(error) for name, error in batch.failures.items()} == {
        "9": "unreadable: broken",
        "0": "unreadable: broken",
    }


def test_an_unforeseen_error_costs_one_clip_and_is_logged(caplog):
    def odd(clip, chance):
        return {"value": np.ones(1)[[5]]} if clip.name == "9" else view(clip, chance)

    (batch,) = ClipStream(TenClips(), odd, seed=3).read([[Draw(0, 9), Draw(0, 5)]])
    assert batch.numbers == [0, 5]
    assert str(batch.failures["9"]).startswith("error: IndexError: index 5 is out of bounds")
    assert "unforeseen error in clip '9'" in caplog.text
    assert "Traceback" in caplog.text


def test_a_mistake_of_the_user_is_not_laid_on_a_clip():
    def mistaken(*_):
        raise UserError("the cache was written anew")

    with pytest.raises(UserError, match="the cache was written anew"):
        list(ClipStream(TenClips(), mistaken, seed=3).read([[Draw(0, 9)]]))


def test_what_was_read_of_a_clip_that_failed_does_not_stay_in_memory():
    alive = []

    def failing(clip, _):
        pictures = clip.pictures(np.zeros(1, int))
        alive.append(weakref.ref(pictures))
        raise ClipError(Status.TOO_SHORT, "no sound")

    (batch,) = ClipStream(TenClips(), failing, seed=3, replace=False).read([[Draw(0, 9), Draw(0, 5)]])
    assert {name: str(error) for name, error in batch.failures.items()} == dict.fromkeys("95", "too_short: no sound")
    assert [reference() for reference in alive] == [None, None]


def test_or_its_place_stays_empty():
    batches = read(TenClips(9), [[Draw(0, 9), Draw(0, 5)], [Draw(0, 9)]], replace=False)
    assert [batch.numbers for batch in batches] == [[5], []]


def test_nothing_but_broken_clips_is_an_error():
    with pytest.raises(UserError, match="10 clips in a row cannot be read; the first, '2': unreadable: broken"):
        read(TenClips(*range(10)), [[Draw(0, 2)]], workers=1)


def test_reading_takes_no_chance_from_training():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    read(TenClips(), BATCHES)
    assert torch.equal(torch.rand(1), expected)
