"""The demo corpus on disk: every planned clip rendered in parallel, then the table, then the mark that it is whole."""

import functools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import yaml
from tqdm import tqdm

from toolkit.demo.plan import ClipPlan, Scale, plan_demo
from toolkit.demo.speakers import SPEAKERS
from toolkit.device import usable_cores
from toolkit.errors import UserError
from toolkit.whole_file import whole_file

VERSION = 2  # raised whenever the same seed makes other clips
TABLE, MARK, UNFINISHED = "corpus.csv", "demo.yaml", "demo.unfinished.yaml"


def make_demo(out: Path, *, scale: Scale = "full", seed: int = 0, workers: int | None = None) -> Path:
    """Makes the demo corpus, or the rest of it where an earlier run was stopped; does nothing where it is whole.

    ``OUT/video/<name>.mp4``, ``OUT/corpus.csv`` and, last of all, ``OUT/demo.yaml``, which says that it is whole.
    The same arguments give the same bytes on the same machine.

    Args:
        out: folder, made where it does not exist
        scale: ``full`` is about 300 clips, ``small`` about 60, ``tiny`` about 25 of one second
        seed: of everything that is drawn
        workers: processes, one per usable core if ``None``

    Returns:
        the folder

    Raises:
        UserError: an unknown scale, a folder with other things in it, or a demo made with other arguments
    """
    out = Path(out)
    if scale not in get_args(Scale):
        raise UserError(f"There is no demo of scale '{scale}'. Expected one of {', '.join(get_args(Scale))}.")
    facts = {"version": VERSION, "scale": scale, "seed": seed}
    if is_whole(out):
        _expect(facts, read_facts(out / MARK), out)
        return out
    _claim(out, facts)
    plans = plan_demo(scale, seed)
    todo = [plan for plan in plans if not video_of(out, plan).exists()]
    _render(out, todo, workers or usable_cores())
    _write_whole(out / TABLE, make_table(plans).to_csv(index=False))
    _write_whole(out / MARK, yaml.safe_dump({**facts, "clips": len(plans)}, sort_keys=False))
    (out / UNFINISHED).unlink()
    return out


def finish_demo(out: Path) -> Path:
    """Goes on with the demo that a stopped run began in a folder, or else makes the full one with seed 0.

    Raises:
        UserError: the folder has other things in it, or an older version's beginnings
    """
    if not (out / UNFINISHED).exists():
        return make_demo(out)
    facts = read_facts(out / UNFINISHED)
    return make_demo(out, scale=facts["scale"], seed=facts["seed"])


def is_whole(out: Path) -> bool:
    """Says whether a folder holds a demo corpus that was made to its end."""
    return (out / MARK).exists()


def read_facts(path: Path) -> dict[str, Any]:
    """Returns version, scale and seed of a demo.

    Raises:
        UserError: the file is not what `make_demo` writes
    """
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {"version": int(facts["version"]), "scale": str(facts["scale"]), "seed": int(facts["seed"])}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} does not say version, scale and seed of a demo ({' '.join(str(error).split())}). "
            f"Delete the folder {path.parent} to make the demo anew."
        ) from None


def video_of(out: Path, plan: ClipPlan) -> Path:
    """Returns the path of a clip."""
    return out / "video" / f"{plan.name}.mp4"


def make_table(plans: list[ClipPlan]) -> pd.DataFrame:
    """Returns the corpus table of some plans; what must not be known is missing."""
    return pd.DataFrame([_row(plan) for plan in plans])


def _row(plan: ClipPlan) -> dict[str, Any]:
    labelled = plan.split != "unlabelled"
    text = {"no_transcript": (None, None), "blank_transcript": ("   ", "   ")}.get(plan.hostile or "", plan.sentence)
    return {
        "name": plan.name,
        "split": plan.split,
        "video": f"video/{plan.name}.mp4",
        "text": text[0],
        "english": text[1],
        "emotion": plan.emotion if labelled else None,
        "valence": plan.valence if labelled else None,
        "openset": str(list(plan.openset)) if labelled else None,
        "speaker": SPEAKERS[plan.speaker].name,
        "snr": plan.snr,
        "blur": plan.blur,
        "hostile": plan.hostile,
    }


def _claim(out: Path, facts: dict[str, Any]) -> None:
    """Marks a folder as a demo in the making, or finds that it is one already."""
    if (out / UNFINISHED).exists():
        _expect(facts, read_facts(out / UNFINISHED), out)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} has other things in it and no {MARK}. Name a new or empty folder for the demo.")
    (out / "video").mkdir(parents=True, exist_ok=True)
    _write_whole(out / UNFINISHED, yaml.safe_dump(facts, sort_keys=False))


def _expect(wanted: dict[str, Any], found: dict[str, Any], out: Path) -> None:
    if found != wanted:
        says = [", ".join(f"{key} {value}" for key, value in facts.items()) for facts in (found, wanted)]
        raise UserError(f"{out} is a demo of {says[0]}, expected {says[1]}. Name another folder, or delete this one.")


def _write_whole(path: Path, text: str) -> None:
    with whole_file(path) as target:
        target.write_text(text, encoding="utf-8")


def _render(out: Path, plans: list[ClipPlan], workers: int) -> None:
    """Renders clips; each has generators of its own, so that neither order nor number of workers matters."""
    with _pool(min(workers, len(plans))) as run, tqdm(total=len(plans), desc="demo", unit="clip", disable=None) as bar:
        for _ in run(functools.partial(_render_one, out), plans):
            bar.update()


@contextmanager
def _pool(workers: int) -> Iterator[Any]:
    """Gives a ``map`` over processes, also where there is one.

    In a process that has done much else (thousands of tests, say) the same clip came out with other last bits. Not
    forked: the caller may have threads (torch, OpenMP), and a fork of those may hang.
    """
    with ProcessPoolExecutor(max(1, workers), mp_context=get_context("spawn"), initializer=_begin) as pool:
        yield functools.partial(pool.map, chunksize=2)


def _begin() -> None:
    import cv2

    cv2.setNumThreads(1)  # one thread in each of the processes


def _render_one(out: Path, plan: ClipPlan) -> None:
    from toolkit.demo.clip import render_clip

    render_clip(plan, video_of(out, plan))
