"""Worker processes, each with an encoder of its own, for encoders that use one core."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from feature_extraction.job import Job
from feature_extraction.production import produce
from feature_extraction.segment import Segment
from feature_extraction.source import Source
from toolkit.device import usable_cores
from toolkit.errors import UserError

_THREADS = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # the variables that say how many threads a library may have


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
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(jobs, source)) as pool:
        with sharing_cores(workers):
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
        except (KeyboardInterrupt, GeneratorExit):  # whoever stops the run does not want to wait for their segments
            for process in multiprocessing.active_children():
                if process not in others:
                    process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def sharing_cores(workers: int) -> Iterator[None]:
    """Lets processes started within it share the cores instead of fighting for them.

    The libraries read how many threads they may have when they are loaded, and some are before a process can say it.

    Args:
        workers: number of processes
    """
    threads = str(max(1, usable_cores() // workers))
    added = {name: threads for name in _THREADS if name not in os.environ}  # what the user has set stays
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


_assignment: tuple[Sequence[Job], Source] | None = None  # of this process, so that its encoders are built once


def _start(jobs: Sequence[Job], source: Source) -> None:
    global _assignment
    _assignment = (jobs, source)
    # The terminal interrupts all processes of a command. Here that could end up in a library that swallows it and
    # spoils a clip, as openSMILE does; the parent is the one to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(segment: Segment) -> int:
    jobs, source = _assignment
    return sum(produce(jobs, source, [segment], threads=1))
