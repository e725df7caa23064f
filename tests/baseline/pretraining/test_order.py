"""Which clips make up each step."""

from itertools import chain

import pytest

from baseline.face_clips.stream import Draw
from baseline.pretraining import order as order_module
from baseline.pretraining.order import Order


def test_every_epoch_has_its_own_order_and_no_clip_twice():
    order = Order(10, 3, seed=1)
    assert order.steps == 3
    first, second = (list(chain(*order.step_draws(epoch))) for epoch in (0, 1))
    assert [draw.epoch for draw in first] == [0] * 9
    assert len({draw.number for draw in first}) == 9
    assert [draw.number for draw in first] != [draw.number for draw in second]
    assert list(chain(*Order(10, 3, seed=1).step_draws(1))) == second
    assert list(chain(*Order(10, 3, seed=2).step_draws(1))) != second


def test_draws_are_made_step_by_step(monkeypatch):
    made = []
    monkeypatch.setattr(order_module, "Draw", lambda *numbers: made.append(numbers) or Draw(*numbers))
    step = next(Order(1000, 10, seed=0).step_draws(0))
    assert made == [tuple(draw) for draw in step]


def test_of_few_clips_each_comes_as_often_as_is_needed():
    order = Order(3, 8, seed=0)
    (step,) = order.step_draws(5)
    assert order.steps == 1
    assert sorted(draw.number for draw in step[:6]) == [0, 0, 1, 1, 2, 2]
    assert len(set(step)) == 8, "each time another draw, so that it is seen otherwise"


@pytest.mark.parametrize(("processes", "accumulate"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_processes_and_parts_share_the_clips_of_a_step(processes, accumulate):
    order = Order(9, 8, seed=0)
    shares = [
        list(order.parts(range(1, 3), accumulate=accumulate, rank=rank, processes=processes))
        for rank in range(processes)
    ]
    assert {len(share) for share in shares} == {2 * accumulate}
    steps = [
        {draw for share in shares for part in share[accumulate * n : accumulate * (n + 1)] for draw in part}
        for n in range(2)
    ]
    assert steps == [set(chain(*order.step_draws(epoch))) for epoch in (1, 2)]
