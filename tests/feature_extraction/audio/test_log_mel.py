"""Log-mel examples against those of the reference, and the seams between blocks."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from feature_extraction.audio import log_mel
from feature_extraction.audio.log_mel import SPAN, count_examples, cut_examples, mel_matrix
from references.vggish import sweep


@pytest.fixture(scope="module")
def vectors(parity) -> dict[str, np.ndarray]:
    return load_file(parity / "cnn_vggish.safetensors")


def test_mel_matrix(vectors):
    np.testing.assert_allclose(mel_matrix(), vectors["mel/matrix_257x64"], rtol=0, atol=1e-7)


def test_examples_are_those_of_the_reference(vectors):
    wave = sweep(2.5)
    sparse, dense = (np.stack(list(cut_examples(wave, step))) for step in (50, 5))
    assert sparse.shape == (4, 96, 64)
    assert sparse.dtype == np.float32
    np.testing.assert_allclose(sparse[:2], vectors["examples/long_hop0.5"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(dense[:, 0], vectors["examples/long_hop0.05_row0"], rtol=0, atol=1e-6)


def test_counts():
    # 15600 samples fill 96 windows of 400, 160 apart; the next example 5 frames on needs 800 more.
    assert SPAN == 15600
    assert [count_examples(samples, 5) for samples in (15599, 15600, 16399, 16400)] == [0, 1, 1, 2]


@pytest.mark.parametrize("step", [50, 5, 7])
def test_blocks_have_no_seams(monkeypatch, step):
    wave = np.random.default_rng(0).normal(0, 0.1, 16000 * 7).astype(np.float32)
    whole = log_mel.log_mel(wave)
    monkeypatch.setattr(log_mel, "_BLOCK", 150)
    examples = list(cut_examples(wave, step))
    assert len(examples) == count_examples(len(wave), step) == (len(whole) - 96) // step + 1
    for number, example in enumerate(examples):
        np.testing.assert_allclose(example, whole[number * step : number * step + 96], rtol=0, atol=1e-6)


def test_a_long_sound_needs_no_more_memory_than_a_short_one():
    import tracemalloc

    def peak(seconds: int) -> int:
        # A view of one second repeated, so that the sound itself takes no memory.
        sound = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (16000 * seconds,), (0,), writeable=False)
        tracemalloc.start()
        count = sum(1 for _ in cut_examples(sound, 50))
        assert count == 2 * seconds - 1
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(400) < 1.05 * peak(40)
