import torch

from toolkit.models.parallel_decoder import ParallelDecoder


def test_each_reads_what_it_said_last():
    torch.manual_seed(0)
    decoder = ParallelDecoder([3, 5], 4).double()
    codes = torch.randn(2, 6, 4, dtype=torch.float64)
    written = decoder(codes, 5)
    assert [part.shape for part in written] == [(6, 5, 3), (6, 5, 5)]
    for code, cell, linear, frames in zip(codes, decoder.cells, decoder.frames, written, strict=True):
        said, state = code, (torch.zeros_like(code), torch.zeros_like(code))
        for step in range(5):
            state = cell(said, state)
            said = state[0]
            torch.testing.assert_close(frames[:, step], linear(said))
