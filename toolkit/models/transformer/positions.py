"""The fixed code of positions."""

import numpy as np
import torch
from torch import Tensor


def sinusoids(positions: int, dim: int) -> Tensor:
    """Returns the code of each position, ``(positions, dim)`` float32: sines in even columns, cosines in odd ones.

    Wave lengths rise geometrically from 2 pi to 10000 times that (Vaswani et al. 2017), two columns for each. The
    masked autoencoders count positions over the flat index of the tokens, of a video as well as of a spectrogram.
    Networks keep the table as a buffer that is not in their state (``persistent=False``).
    """
    columns = np.arange(dim)
    angles = np.arange(positions)[:, None] / 10000 ** (2 * (columns // 2) / dim)  # float64
    return torch.from_numpy(np.where(columns % 2, np.cos(angles), np.sin(angles)).astype(np.float32))
