"""Find and class the beats of a lead in one pass, both kinds of work side by side.

Half hours are classed while the beats of later ones are still being found. Finding waits for the
file and for Python between many short steps; classing is mostly one network. Together they keep
the processor's cores busy, which one after the other they do not. The caller's own thread only
hands work out and takes it back: with much work of its own it would let the others wait.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.inference.ahead import work_ahead
from ectopy.inference.engine import Classifier
from ectopy.inference.found_beats import Gathering
from ectopy.inference.sections import model_times
from ectopy.mapped import at_hand
from ectopy.readers.spool import Spool
from ectopy.signal.parts import LEAST_S, PART_S, GrowingParts
from ectopy.signal.rhythm import MIN_BEATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ectopy.inference.finder import BeatFinder
    from ectopy.inference.found_beats import FoundBeats, Searched
    from ectopy.models.bundle import Bundle
    from ectopy.readers.lead import Lead
    from ectopy.signal.parts import Part

MOST_WAITING = 4
"""Half hours that may wait to be classed, and slices to be looked at, before none is searched."""


def find_and_classify(
    finder: BeatFinder,
    bundle: Bundle,
    lead: Lead,
    *,
    seen: Callable[[NDArray[np.float32]], None],
    all_seen: Callable[[], object] | None = None,
    searched: Callable[[float], None] | None = None,
    classed: Callable[[float], None] | None = None,
) -> tuple[FoundBeats, NDArray[np.float32]]:
    """Find the beats of a lead of any length, and class them.

    Parameters
    ----------
    finder : BeatFinder
    bundle : Bundle
        Of the model that classes.
    lead : Lead
    seen : callable
        Is given the samples of each slice, one after the other but not in the caller's thread.
    all_seen : callable, optional
        Is called after that, while the last beats are being classed.
    searched, classed : callable, optional
        Are told up to which second beats have been found, and classed.

    Returns
    -------
    found : FoundBeats
        What `BeatFinder.find_lead` gives.
    probabilities : ndarray of float32, shape (beats, 5)
        What `Classifier.classify_lead` gives for them; of a single beat nothing, shape (0, 5).

    Raises
    ------
    SignalError, RecordingError, BundleError
        As those do.
    """
    slices, threads = finder.slices(lead), finder.threads
    # A recording of one part has all threads for its batches, as in `classify_lead`.
    long = lead.n_samples / lead.fs >= PART_S + LEAST_S
    load = partial(Classifier, bundle, threads=1 if long else threads)

    def search(slice_: tuple[int, int]) -> Searched:
        return finder.search_slice(lead, *slice_)

    with (
        ThreadPoolExecutor(threads) as pool,
        Gathering(finder.contract, lead.fs, lead.n_samples) as beats,
        _Classing(bundle, pool.submit(load), lead, pool, classed) as classing,
    ):
        looks: deque[Future[None]] = deque()
        for part in work_ahead(search, slices, threads, pool):
            looks.append(pool.submit(_in_turn, seen, part.block_mv, looks[-1] if looks else None))
            if len(looks) > MOST_WAITING:
                looks.popleft().result()
            classing.add(beats.add(part).positions)
            if searched is not None:
                searched(part.stop / lead.fs)
        classing.begin_last()
        for look in looks:
            look.result()
        if all_seen is not None:
            all_seen()
        return beats.found(), classing.finish()


def _in_turn(
    seen: Callable[[NDArray[np.float32]], None],
    block_mv: NDArray[np.float32],
    before: Future[None] | None,
) -> None:
    """Look at a slice once the one before has been looked at, which was begun before."""
    if before is not None:
        before.result()
    seen(block_mv)


class _Classing(ExitStack):
    """Classes beats as they come, half hour by half hour, in threads that do other work as well."""

    def __init__(
        self,
        bundle: Bundle,
        classifier: Future[Classifier],
        lead: Lead,
        pool: ThreadPoolExecutor,
        told: Callable[[float], None] | None,
    ) -> None:
        super().__init__()
        self._contract, self._classifier = bundle.contract, classifier
        self._lead, self._pool, self._told = lead, pool, told
        self._parts = GrowingParts()
        self._first, self._positions = 0, np.empty(0)  # row of the first that is held, and those
        self._waiting: deque[tuple[float, Future[NDArray[np.float32]]]] = deque()
        self._spool = self.enter_context(Spool(len(CLASSES)))
        self.callback(self._cancel)

    def _cancel(self) -> None:
        for _, future in self._waiting:
            future.cancel()

    def add(self, positions: NDArray[np.float64]) -> None:
        """Take the places of the next beats."""
        self._positions = np.concatenate([self._positions, positions])
        for part in self._parts.add(self._times_s(positions)):
            self._submit(part)
        kept = self._parts.needed - self._first
        self._first, self._positions = self._first + kept, self._positions[kept:]
        self._take(MOST_WAITING)

    def begin_last(self) -> None:
        """Begin with what is left; no more beats will come."""
        if self._first + len(self._positions) >= MIN_BEATS:
            for part in self._parts.finish():
                self._submit(part)

    def finish(self) -> NDArray[np.float32]:
        """Give the probabilities of all beats."""
        self._take(0)
        if self._told is not None:
            self._told(self._lead.n_samples / self._lead.fs)
        return at_hand(self._spool.rows())

    def _submit(self, part: Part) -> None:
        positions = self._positions[part.seen.start - self._first : part.seen.stop - self._first]
        times_s = self._times_s(positions)
        last_s = float(times_s[part.inner][-1])
        future = self._pool.submit(self._class_part, positions, times_s, part.of_seen())
        self._waiting.append((last_s, future))

    def _times_s(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return model_times(positions, self._lead.fs, self._contract)

    def _class_part(
        self, positions: NDArray[np.float64], times_s: NDArray[np.float64], part: Part
    ) -> NDArray[np.float32]:
        # It was given to a thread before any part was, and is ready by now or soon.
        classifier = self._classifier.result()
        return classifier.classify_part(self._lead, positions, times_s, part)

    def _take(self, most: int) -> None:
        """Keep what is done, and wait for it where more than so many parts are waiting."""
        while self._waiting and (len(self._waiting) > most or self._waiting[0][1].done()):
            last_s, future = self._waiting.popleft()
            self._spool.add(future.result())
            if self._told is not None:
                self._told(last_s)
