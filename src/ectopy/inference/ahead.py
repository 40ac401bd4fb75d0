"""Work on the parts of something long in several threads, in bounded memory."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Part = TypeVar("Part")
Result = TypeVar("Result")


def work_ahead(
    work: Callable[[Part], Result],
    parts: Iterable[Part],
    threads: int,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[Result]:
    """Give what `work` makes of each part, in their order.

    Unlike `Executor.map` no further ahead of what has been taken than there are threads, so that
    what waits stays small. What `work` raises is raised here, and what has not begun is left.

    Parameters
    ----------
    work : callable
    parts : iterable
    threads : int
    pool : ThreadPoolExecutor, optional
        Threads that do other work as well; as many of its own unless given.
    """
    with ExitStack() as stack:
        pool = pool or stack.enter_context(ThreadPoolExecutor(threads))
        waiting: deque[Future[Result]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
