"""Working ahead: the next things of an iterator are made in a thread while the last one is in use."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """Yields the items in order; a thread makes up to ``depth`` of them in advance.

    What goes wrong in the thread is raised here, in its place among the items. Leaving the loop early ends the thread.

    Args:
        items: what is iterated over, in the thread
        depth: how many finished items may wait
    """
    finished: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(item: Any, error: BaseException | None = None) -> bool:
        while not stop.is_set():
            try:
                finished.put((item, error), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # whatever it is, the loop that waits for the items has to know
            put(_END, error)
        else:
            put(_END)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = finished.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        thread.join()
