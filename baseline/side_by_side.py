"""Work on several cores at once, in processes: small steps leave threads no time outside Python's lock."""

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from baseline.mapped import Shelf
from toolkit.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
_STOP = "stop"
_LOOK = 0.5  # seconds between two looks at whether anybody still waits for a worker


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item], workers: int) -> list[Result]:
    """Returns the results of work on every item, in their order.

    Args:
        work: a function of a module, of something that pickles; large tensors in it are mapped, not copied
        items: what there is to work on, started in this order
        workers: processes; each uses one core

    Raises:
        UserError: a process was killed
        Exception: what the work on an item raised
    """
    # Spawned, not forked: the threads that torch may have started do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="mer-training-") as name:
        shelf = Shelf(Path(name))
        with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(shelf.folder, os.getpid())) as pool:
            futures = [pool.submit(_one, work, shelf.pack(item), shelf.folder) for item in items]
            try:
                for future in as_completed(futures):
                    future.result()
            except BrokenProcessPool as error:
                raise UserError(
                    f"One of {workers} processes that train ended, most likely for want of memory (or because a script "
                    'of yours computes without `if __name__ == "__main__":`). OMP_NUM_THREADS=1 trains in a single one.'
                ) from error
            finally:
                if not all(future.done() for future in futures):
                    (shelf.folder / _STOP).touch()
                    pool.shutdown(cancel_futures=True)
    return [pickle.loads(future.result()) for future in futures]


def _begin(folder: Path, parent: int) -> None:
    """Makes a process that computes on one core and ends when nobody waits for it."""
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is the one to stop

    def watch() -> None:
        while os.getppid() == parent and not (folder / _STOP).exists():
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(work: Callable[[Any], Any], packed: bytes, folder: Path) -> bytes:
    # As bytes, since tensors in a queue of processes would travel through files that both have to keep open.
    return pickle.dumps(work(Shelf(folder).unpack(packed)), protocol=pickle.HIGHEST_PROTOCOL)
