"""Worker processes, each with an encoder of its own, for encoders that use one core."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from feature_extraction.job import Job
from feature_extraction.production import produce
from feature_extraction.segment import Segment
from feature_extraction.source import Source
from toolkit.device import usable_cores
from toolkit.errors import UserError


def produce_in_workers(jobs: Sequence[Job], source: Source, segments: Sequence[Segment], workers: int) -> Iterator[int]:
    """Makes segments in several processes and yields the number of clips of each as it is done.

    Args:
        jobs: encoders that share the source
        source: reads the clips
        segments: what to make
        workers: number of processes

    Raises:
        UserError: a process was killed, or an encoder cannot run
    """
    # Spawned, not forked: torch and HDF5 do not survive a fork.
    context = multiprocessing.get_context("spawn")
    workers = min(workers, len(segments))
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(jobs, source, workers)) as pool:
        waiting = {pool.submit(_work, segment) for segment in segments}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from [future.result() for future in finished]
        except BrokenProcessPool as error:
            names = ", ".join(job.label for job in jobs)
            raise UserError(
                f"A worker of {names} was killed, most likely for want of memory. What is finished is kept: run the "
                f"same command again, with fewer --workers than {workers}."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_assignment: tuple[Sequence[Job], Source] | None = None  # of this process, so that its encoders are built once


def _start(jobs: Sequence[Job], source: Source, workers: int) -> None:
    global _assignment
    _assignment = (jobs, source)
    threads = max(1, usable_cores() // workers)  # workers share the cores instead of fighting for them
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def _work(segment: Segment) -> int:
    jobs, source = _assignment
    return sum(produce(jobs, source, [segment], threads=1))
