"""The code of positions, by hand and against the reference's table."""

import pytest
import torch
from safetensors.torch import load_file

from toolkit.models.transformer.positions import sinusoids


def test_by_hand():
    table = sinusoids(3, 4)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1.0, 0.0, 1.0]))
    expected = torch.tensor([0.909297, -0.416147, 0.019999, 0.999800])  # sin 2, cos 2, sin 0.02, cos 0.02
    torch.testing.assert_close(table[2], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "rows"), [("9x10", range(9)), ("800x512_rows", [0, 1, 399, 799]), ("128x512_rows", [0, 1, 64, 127])]
)
def test_to_the_last_bit(parity, name, rows):
    theirs = load_file(parity / "ssl_aux.safetensors")[f"pos/{name}"]
    count, dim = map(int, name.removesuffix("_rows").split("x"))
    assert torch.equal(sinusoids(count, dim)[list(rows)], theirs)
