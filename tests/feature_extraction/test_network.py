"""What encoders with a network share, shown with one whose output is its own time."""

import logging

import numpy as np
import pytest
import torch

from feature_extraction.encoder import FrameFeatures
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece, cut_chunks
from feature_extraction.spec import EncoderSpec
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

SPEC = EncoderSpec(name="clock", modality="audio", family="clock", sample_rate=10)


class Clock(NetworkEncoder):
    """A clip is a number of frames; a row holds the number of its frame, times a weight of 1."""

    family = "clock"
    capacity = 8
    fits = 10**9  # padded length that the device's memory holds
    no_room = torch.OutOfMemoryError("no room")

    def build(self):
        layer = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.ones_(layer.weight)
        self.batches = []
        return layer

    def pieces(self, item):
        if item < 0:
            raise ClipError(Status.TOO_SHORT, "negative")
        for chunk in cut_chunks(item, longest=5, context=1):
            numbers = np.arange(chunk.start, chunk.stop, dtype=np.float32)
            times = np.arange(chunk.keep_start, chunk.keep_stop) / 10
            yield Piece(numbers, len(numbers), times, chunk.keep)

    def forward(self, pieces):
        longest = max(piece.length for piece in pieces)
        if longest * len(pieces) > self.fits:
            raise self.no_room
        self.batches.append([piece.length for piece in pieces])
        padded = np.full((len(pieces), longest, 1), -1, np.float32)
        for row, piece in zip(padded, pieces, strict=True):
            row[: piece.length, 0] = piece.inputs
        outputs = self.network(self.tensor(padded))
        return [output[: piece.length] for output, piece in zip(outputs, pieces, strict=True)]


def clock(level="frame", **changes) -> Clock:
    return Clock(EncoderSpec(**{**SPEC.__dict__, **changes}), level=level)


@pytest.mark.parametrize("length", [1, 5, 6, 100, 1000])
def test_no_frame_is_lost_doubled_or_shifted(length):
    (result,) = clock().encode([length])
    assert result.values[:, 0].tolist() == list(range(length))
    np.testing.assert_allclose(result.times, np.arange(length) / 10)
    assert result.utterance[0] == np.float32((length - 1) / 2)


def test_clips_come_back_in_order_whatever_their_batches():
    lengths = [3, 17, 1, 4, 17, 2, 64]
    results = clock().encode(lengths)
    assert [result.values[:, 0].tolist() for result in results] == [list(range(length)) for length in lengths]


def test_batches_hold_pieces_of_like_length_of_all_clips():
    encoder = clock()
    encoder.encode([4, 1, 4, 1, 1])
    assert encoder.batches == [[4, 4], [1, 1, 1]]


def test_long_clips_pass_through_in_windows():
    encoder = clock(level="utterance")
    (result,) = encoder.encode([10_000])
    assert result.utterance[0] == pytest.approx(4999.5)
    assert result.values.shape == (0, 1)
    assert max(map(sum, encoder.batches)) <= 8


def test_bad_clip_costs_no_other():
    good, bad, also_good = clock().encode([3, -1, 2])
    assert bad.status is Status.TOO_SHORT
    assert isinstance(good, FrameFeatures)
    assert also_good.values[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no room"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:125] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_ends_halves_the_batches_and_is_said_once(caplog, error):
    encoder = clock()
    encoder.no_room = error
    encoder.fits, encoder._limit = 5, 64
    with caplog.at_level(logging.WARNING):
        results = encoder.encode([4, 4, 4, 4, 1, 1, 1, 1, 1, 1])
    assert [len(result.values) for result in results] == [4] * 4 + [1] * 6
    assert [message for message in caplog.messages if "does not fit" in message] == [
        "'clock': a batch of 4 does not fit on cpu; batches are made half as large and the run goes on."
    ]


def test_batches_are_as_large_as_the_memory_that_there_is():
    """Each of the parts that a batch falls into fails for itself; together they are one lesson, not several."""
    encoder = clock()
    encoder.fits, encoder._limit = 16, 128
    encoder.encode([4] * 32)
    assert encoder._limit == 16
    encoder.batches.clear()
    encoder.encode([4] * 8)
    assert encoder.batches == [[4] * 4] * 2


def test_memory_that_holds_not_one_piece():
    encoder = clock()
    encoder.fits = 3
    with pytest.raises(UserError, match=r"not even one piece of length 4.*--dtype bfloat16"):
        encoder.encode([4])


def test_network_that_does_not_fit(monkeypatch):
    """The driver may find no room for the weights, which is no fault of the program."""

    def place(self, network):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 26 GiB")

    monkeypatch.setattr(NetworkEncoder, "place", place)
    with pytest.raises(UserError, match=r"'clock' does not fit on cpu\. Try --dtype bfloat16"):
        clock()


def test_other_errors_are_not_taken_for_memory():
    encoder = clock()
    encoder.fits, encoder.no_room = 3, RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        encoder.encode([4, 4])


def test_precision():
    encoder = clock(precision="bfloat16")
    assert encoder.network.weight.dtype == torch.bfloat16
    (result,) = encoder.encode([4])
    assert result.values.dtype == np.float32
    assert result.values[:, 0].tolist() == [0, 1, 2, 3]


def test_unknown_device():
    with pytest.raises(UserError, match="Device 'warp' cannot be used"):
        Clock(SPEC, device="warp")


def test_inputs_are_on_the_device_when_their_source_goes(monkeypatch):
    """What a copy in the background reads may be freed by then, and some devices do not wait for it."""
    encoder, copies, to = clock(), [], torch.Tensor.to

    def noted(self, *args, **options):
        copies.append(options)
        return to(self, *args, **options)

    monkeypatch.setattr(torch.Tensor, "to", noted)
    encoder.tensor(np.ones(3))
    assert copies
    assert not any(options.get("non_blocking") for options in copies)


def test_convolutions_are_not_rounded_on_a_gpu(monkeypatch):
    encoder, rounded = clock(), []
    monkeypatch.setattr(encoder.network, "forward", lambda x: rounded.append(torch.backends.cudnn.allow_tf32) or x)
    encoder.encode([3])
    assert rounded == [False]
