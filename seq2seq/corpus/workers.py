"""Processes that work through a stream in order, with a bounded number of tasks under way.

Not `multiprocessing.Pool`, which reads its whole input ahead and waits for ever when the kernel
kills a worker, nor `ProcessPoolExecutor`, which cannot stop a worker in the middle of a task.
"""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeVar

from seq2seq.errors import UserError

T = TypeVar("T")
R = TypeVar("R")
_TASKS_PER_WORKER = 3


class Workers:
    """`with Workers(4) as workers: for result in workers.map(function, tasks): …`.

    One worker means this very process: no start-up time, which is what small corpora need.
    Results come in the order of the tasks, so they do not depend on the number of workers.
    """

    def __init__(self, count: int):
        self._count = count
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers: list[_Worker] = []
        # Each thread hands a task to an idle process and waits for its result.
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> "Workers":
        if self._count > 1:
            # Spawned, not forked: the parent has threads, and a fork would copy their locks.
            context = multiprocessing.get_context("spawn")
            self._workers = [_Worker(context) for _ in range(self._count)]
        for worker in self._workers:
            self._idle.put(worker)
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Applies `function` (sent to each worker once, whatever it carries) to every task."""
        if not self._workers:
            yield from map(function, tasks)
            return
        under_way: deque[Future[R]] = deque()
        for task in tasks:
            under_way.append(self._threads.submit(self._apply, function, task))
            if len(under_way) >= _TASKS_PER_WORKER * self._count:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def _apply(self, function: Callable[[T], R], task: T) -> R:
        worker = self._idle.get()
        try:
            return worker.apply(function, task)
        finally:
            self._idle.put(worker)


class _Worker:
    def __init__(self, context: Any):
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end,), daemon=True)
        self._process.start()
        other_end.close()
        self._function: object = None

    def apply(self, function: Callable[[T], R], task: T) -> R:
        try:
            if function is not self._function:
                self._connection.send((True, function))
                self._function = function
            self._connection.send((False, task))
            failed, result = self._connection.recv()
        except (EOFError, OSError):
            raise UserError(
                "a worker process was killed, most likely for want of memory; "
                "try fewer with --set data.workers=1"
            ) from None
        if failed:
            raise result
        return result

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection) -> None:
    # Ctrl-C reaches the whole group of processes; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # Lists of lists of pieces set the garbage collector off all the time, and make no garbage that
    # needs it: without it encoding is a tenth faster.
    gc.disable()
    function: Callable[[Any], Any] = repr
    with contextlib.suppress(EOFError, OSError):
        while True:
            is_function, received = connection.recv()
            if is_function:
                function = received
                continue
            try:
                answer = (False, function(received))
            except Exception as error:
                error.add_note(traceback.format_exc())  # pickling loses the traceback
                answer = (True, error)
            connection.send(answer)


def _die_with_parent() -> None:
    """A parent killed outright cannot stop its workers, so they watch it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
