"""An iterator that a thread works through, a few items ahead of their use.

The items, their order and their errors are those of the iterator. Knows nothing of what they are.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Iterator[Item], Generic[Item]):
    """The items of `source`, at most `most` of them fetched before they are asked for."""

    def __init__(self, source: Iterator[Item], *, most: int) -> None:
        self._source = source
        self._found: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
        self._room = threading.Semaphore(most)
        self._closed = False
        self._thread = threading.Thread(target=self._fetch, daemon=True, name="ahead")
        self._thread.start()

    def __next__(self) -> Item:
        """The next item; raises what fetching it raised."""
        item = self._found.get()
        if isinstance(item, _End):
            self._found.put(item)
            raise item.error
        self._room.release()
        return item

    def close(self) -> None:
        """Fetches no more, and returns when the item that is being fetched is there."""
        self._closed = True
        self._room.release()
        self._thread.join()

    def _fetch(self) -> None:
        try:
            while self._room.acquire() and not self._closed:
                self._found.put(next(self._source))
        except BaseException as error:
            # StopIteration too: whatever it is, it belongs to whoever asks for the item.
            self._found.put(_End(error))


class _End:
    """Behind the last item: what the iterator raised instead of one more."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
