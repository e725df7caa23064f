"""Masked autoencoders beside their equations written out: ``python benchmarks/masked_autoencoders.py [--json FILE]``.

Base size with random weights, one made-up clip of 16 pictures (HiCMAE: and 2.56 s of sound), the fine-tuning form.
Timed in one run, in an order that changes every round, medians of the rounds:

- *plain*: the same equations and weights with attention written out, ``plain_autoencoders.py``;
- *ours*: `toolkit.models`, in float32 and beside it in the precision that ``--dtype`` names.

*of processors* is the same ratio of the times that the cores worked, which other processes on the machine disturb less.

Floating-point operations are as torch counts them, two for a multiplication and addition. The deviation of a
precision is the length of the difference from float32 over the length of the numbers in float32.

On a GPU also steps of pretraining in bfloat16, beside the most that the GPU was seen to do in products of matrices.
"""

import copy
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from plain_autoencoders import WAYS, Plain
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from toolkit.console import aligned, say
from toolkit.device import resolve_device
from toolkit.models.masked_autoencoder import Family, FineTuning, autoencoders

Row = dict[str, float | str]
BATCH = 32  # clips in a step of pretraining on a GPU
SIDE = 8192  # of the matrices whose product says what a GPU can do


class Case(NamedTuple):
    """A network to be measured.

    Attributes:
        classes: number of outputs
        gigaflops: of one clip, as torch counts the authors' code
    """

    classes: int
    gigaflops: float


CASES = {
    "mae-dfer": Case(7, 99.3),
    "svfap": Case(7, 87.1),
    "hicmae": Case(6, 92.2),
    "videomae": Case(7, 161.4),
}


def made_up(family: type[Family], batch: int, device: str) -> dict[str, Tensor]:
    """Returns random clips of base size."""
    size, inputs = family.sizes["base"], {}
    for stream in family.streams:
        picture = (3, size.shape.frames, size.shape.size, size.shape.size)
        shape = picture if stream == "video" else (1, size.spectrogram.frames, size.spectrogram.bands)
        inputs[stream] = torch.randn(batch, *shape, device=device)
    return inputs


def in_precision(values: Mapping[str, Tensor], precision: torch.dtype) -> dict[str, Tensor]:
    """Returns tensors in a precision."""
    return {name: value.to(precision) for name, value in values.items()}


def network_of(name: str, device: str) -> FineTuning:
    """Returns a network of base size, always with the same weights."""
    torch.manual_seed(0)
    family = autoencoders.get(name)
    return family.fine_tuning(family.sizes["base"], CASES[name].classes).eval().to(device)


def seconds(work: Callable[[], object], device: str) -> tuple[float, float]:
    """Returns the wall time of a piece of work, and the time that all cores worked for this process."""
    start, worked = time.perf_counter(), time.process_time()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start, time.process_time() - worked


def medians(ways: Mapping[str, Callable[[], object]], rounds: int, device: str) -> dict[str, np.ndarray]:
    """Returns the median `seconds` of each way; the order changes, so that none always comes after the same one."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    generator = np.random.default_rng(0)
    for number in range(rounds + 1):
        for way in generator.permutation(list(ways)).tolist():
            times = seconds(ways[way], device)
            if number:  # the first round only warms up
                taken[way].append(times)
    return {way: np.median(times, axis=0) for way, times in taken.items()}


def deviation(values: Tensor, exact: Tensor) -> float:
    """Returns the relative length of a difference."""
    return float((values.float() - exact).norm() / exact.norm())


def gigaflops(work: Callable[[], object]) -> float:
    """Returns what torch counts, in 10^9; attention is written out for it, as it knows not all kernels of that."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 1e9


def compare(name: str, precision: torch.dtype, device: str, rounds: int) -> Row:
    """Returns the times of a network."""
    inputs = made_up(autoencoders.get(name), 1, device)
    exact = network_of(name, device)
    short = copy.deepcopy(exact).to(precision)
    plain = Plain(dict(exact.state_dict()) | dict(exact.named_buffers()))
    short_plain, short_inputs = Plain(in_precision(plain.state, precision)), in_precision(inputs, precision)
    ways = {
        "plain": lambda: WAYS[name](plain, inputs),
        "ours": lambda: exact(inputs),
        "short": lambda: short(short_inputs),
        "short_plain": lambda: WAYS[name](short_plain, short_inputs),
    }
    if precision == torch.float32:
        ways = {way: ways[way] for way in ("plain", "ours")}
    with torch.inference_mode():
        apart = max(deviation(ours, theirs) for ours, theirs in zip(ways["ours"](), ways["plain"](), strict=True))
        row: Row = {"network": name, "GFLOP": gigaflops(ways["ours"]), "authors'": CASES[name].gigaflops}
        both = medians(ways, rounds, device)
        taken = {way: float(wall) for way, (wall, _) in both.items()}
        row |= {"plain_s": taken["plain"], "ours_s": taken["ours"], "ours/plain": taken["ours"] / taken["plain"]}
        row |= {"of processors": float(both["ours"][1] / both["plain"][1]), "apart": apart}
        if precision != torch.float32:
            off = [deviation(one, other) for one, other in zip(ways["short"](), ways["ours"](), strict=True)]
            row |= {"precision": str(precision).removeprefix("torch."), "short_s": taken["short"]}
            row |= {"float32/short": taken["ours"] / taken["short"]}
            row |= {"short/plain": taken["short"] / taken["short_plain"]}
            row |= {"features off": off[0], "logits off": off[1]}
    return row


def ceiling(device: str) -> float:
    """Returns the floating-point operations per second of a large product of matrices in bfloat16."""
    left, right = torch.randn(2, SIDE, SIDE, device=device, dtype=torch.bfloat16)
    out = torch.empty_like(left)
    taken = medians({"product": lambda: torch.mm(left, right, out=out)}, 20, device)
    return float(2 * SIDE**3 / taken["product"][0])


def pretrain(name: str, device: str, rounds: int, most: float) -> Row:
    """Returns the speed of pretraining: masks, forward, backward and AdamW, clips being on the device already."""
    torch.manual_seed(0)
    family = autoencoders.get(name)
    network = family.pretraining(family.sizes["base"]).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    inputs, chance = made_up(family, BATCH, device), np.random.default_rng(0)

    def step() -> None:
        optimizer.zero_grad()
        masks = network.draw_masks(BATCH, chance)
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            loss = network(inputs, masks).loss
        loss.backward()
        optimizer.step()

    work, taken = 1e9 * gigaflops(step), medians({"step": step}, rounds, device)["step"][0]
    return {
        "pretraining": name, "batch": BATCH, "GFLOP": work / 1e9,
        "steps/s": float(1 / taken), "clips/s": float(BATCH / taken),
        "ceiling TFLOP/s": most / 1e12, "share of it": float(work / taken / most),
    }  # fmt: skip


def _shown(row: Row) -> Row:
    """Prints a row as it comes, since a whole run takes a while."""
    for line in aligned([list(row), [value if isinstance(value, str) else f"{value:.3g}" for value in row.values()]]):
        say(line)
    return row


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Three rounds: half a minute on 2 cores.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda ...")] = "cpu",
    dtype: Annotated[
        str, typer.Option(help="bfloat16 or float16: what is measured beside float32; float32 for nothing.")
    ] = "bfloat16",
    only: Annotated[str, typer.Option(metavar="WORD", help="Only networks with this word in their name.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows here.")] = None,
) -> None:
    """Measure masked autoencoders and print ratios."""
    device, rounds = resolve_device(device), 3 if quick else 7
    names = [name for name in CASES if only in name]
    rows = [_shown(compare(name, getattr(torch, dtype), device, rounds)) for name in names]
    if device.startswith("cuda"):
        most = ceiling(device)
        rows += [_shown(pretrain(name, device, 10 * rounds, most)) for name in names]
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    typer.run(main)
