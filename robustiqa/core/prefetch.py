"""Read ahead: one thread makes the next items while the caller works on this one."""

import threading
from collections.abc import Generator, Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_PATIENCE: Final = 0.05  # seconds between looks at whether the other side is still there


def prefetched(items: Iterable[T], ahead: int = 1) -> Generator[T]:
    """``items`` in their order, up to ``ahead`` of them made before they are asked for.

    At any moment at most ``ahead`` + 2 items exist: the caller's, the waiting ones and the one being made. An error of
    ``items`` is raised where its item would have come. Closing the iterator ends the thread.
    """
    source = _Source(items, ahead)
    thread = threading.Thread(target=source.fill, name="prefetch", daemon=True)
    thread.start()
    try:
        yield from source.drain()
    finally:
        source.closed.set()
        thread.join()


class _End:
    """What follows the last item, with the error that ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Source(Generic[T]):
    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self.closed = threading.Event()
        self._items = items
        self._queue: Queue[T | _End] = Queue(maxsize=ahead)

    def fill(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised again in the caller's thread)
            self._put(_End(error))
        else:
            self._put(_End(None))

    def _put(self, item: "T | _End") -> bool:
        """Whether the item found its place before the caller went away."""
        while not self.closed.is_set():
            try:
                self._queue.put(item, timeout=_PATIENCE)
            except Full:
                continue
            return True
        return False

    def drain(self) -> Iterator[T]:
        while True:
            try:
                item = self._queue.get(timeout=_PATIENCE)
            except Empty:
                continue  # a blocking get could not be interrupted on every platform
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
