"""Frames of many clips, each with as many as it has."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from toolkit.models.network import Sequences


@dataclass(frozen=True, eq=False)
class Ragged:
    """Frames end to end in one tensor, and where those of each clip are.

    Clips that are taken out look into the same tensor, so that folds, batches and parts of a corpus cost no memory;
    frames are copied where a batch is padded, or clips of several tensors become one.

    Attributes:
        values: ``(frames, dim)`` float32, of these clips and maybe of others
        starts: ``(clips,)`` int64, the first frame of each clip
        lengths: ``(clips,)`` int64, how many frames each clip has, 0 where it lacks the feature
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def end_to_end(cls, values: Tensor, lengths: Tensor) -> "Ragged":
        """Returns clips whose frames follow each other.

        Args:
            values: ``(frames, dim)``, the lengths' sum of them
            lengths: ``(clips,)`` int64
        """
        return cls(values, lengths.cumsum(0) - lengths, lengths)

    @classmethod
    def cat(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """Returns the clips of several one after the other, in a tensor that has no frames but theirs."""
        return cls.end_to_end(torch.cat([part.frames for part in parts]), torch.cat([part.lengths for part in parts]))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, rows: Tensor | slice) -> "Ragged":
        """Returns some of the clips, ``(n,)`` row numbers, ``(clips,)`` booleans or a slice."""
        return Ragged(self.values, self.starts[rows], self.lengths[rows])

    @property
    def dim(self) -> int:
        """Numbers per frame."""
        return self.values.shape[1]

    @property
    def places(self) -> Tensor:
        """``(frames,)`` where the frames of these clips are."""
        before, count = self.lengths.cumsum(0) - self.lengths, int(self.lengths.sum())
        within = torch.arange(count, device=self.lengths.device)
        return within + (self.starts - before).repeat_interleave(self.lengths, output_size=count)

    @property
    def frames(self) -> Tensor:
        """``(frames, dim)`` of these clips alone, end to end; not copied where they are neighbours."""
        places = self.places
        if not len(places):
            return self.values[:0]
        first = int(places[0])
        if torch.equal(places, torch.arange(first, first + len(places), device=places.device)):
            return self.values[first : first + len(places)]
        return self.values[places]

    def padded(self) -> Sequences:
        """Returns ``(clips, time, dim)`` and the lengths: zeros behind the frames of each clip, one step at least."""
        lengths = self.lengths.tolist()
        if not any(lengths):
            return Sequences(self.values.new_zeros(len(self), 1, self.dim), self.lengths)
        rows = self.frames.split(lengths)
        return Sequences(pad_sequence(rows, batch_first=True), self.lengths)
