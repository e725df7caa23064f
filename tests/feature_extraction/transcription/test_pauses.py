import numpy as np
import pytest

from feature_extraction.transcription.pauses import cut_at_pauses

RATE = 1000


def make_words(seconds: float, pauses: list[float]) -> np.ndarray:
    """Noise that falls silent for 0.4 s around the times given."""
    samples = np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    for pause in pauses:
        samples[round((pause - 0.2) * RATE) : round((pause + 0.2) * RATE)] *= 0.01
    return samples


def test_a_short_recording_is_not_cut():
    assert list(cut_at_pauses(make_words(3.0, [1.5]), RATE, longest=3000)) == [(0, 3000)]


def test_cuts_fall_into_pauses():
    cuts = list(cut_at_pauses(make_words(9.0, [1.0, 2.6, 5.0, 7.3]), RATE, longest=3000))
    assert [start for start, _ in cuts[1:]] == [stop for _, stop in cuts[:-1]]  # nothing lost or doubled
    assert (cuts[0][0], cuts[-1][1]) == (0, 9000)
    # 1.0 lies before the last third of what may be taken; 5.0 in that of what is left at 2.6, 7.3 at 5.0.
    np.testing.assert_allclose([stop for _, stop in cuts[:-1]], [2600, 5000, 7300], rtol=0, atol=60)


def test_of_several_quiet_moments_the_last():
    assert list(cut_at_pauses(np.zeros(7000, np.float32), RATE, longest=3000)) == [
        (0, 2850), (2850, 5700), (5700, 7000),
    ]  # fmt: skip


@pytest.mark.parametrize("longest", [100, 300, 999])
def test_stretches_are_never_too_long_nor_empty(longest):
    cuts = list(cut_at_pauses(make_words(4.0, []), RATE, longest=longest))
    assert all(0 < stop - start <= longest for start, stop in cuts)
    assert sum(stop - start for start, stop in cuts) == 4000
