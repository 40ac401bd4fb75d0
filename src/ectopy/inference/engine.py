"""The inference engine: windows in, class probabilities out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.beats import CLASSES
from ectopy.errors import BundleError
from ectopy.inference.ahead import work_ahead
from ectopy.inference.sections import model_times, section_windows
from ectopy.mapped import at_hand, pieces, release
from ectopy.models.bundle import ONNX_FILE, Bundle, find_bundle
from ectopy.models.runtime import onnx_runtime
from ectopy.readers.lead import Lead
from ectopy.readers.spool import Spool
from ectopy.signal.parts import parts
from ectopy.signal.past import PastInputs, intervals_after
from ectopy.signal.typical import beat_inputs
from ectopy.signal.windows import zscore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from ectopy.signal.parts import Part
    from ectopy.signal.typical import BeatInputs

BATCH = 128
"""Windows per call of the network: enough for its many steps, few enough for the cache."""

THREADS = 2

CAUSAL_BATCH = 600
"""Beats whose windows are cut at a time where nothing is known of the later ones."""


def open_graph(bundle: Bundle) -> InferenceSession:
    """Load a bundle's ONNX graph for the CPU, to run in the thread that calls it.

    Threads that share one call of a network wait for each other after each of its many short steps,
    at full load; each with a call of its own they do not. A session may be called from any number
    of threads at once.

    Raises
    ------
    BundleError
        If it cannot be loaded.
    """
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    path = bundle.folder / ONNX_FILE
    try:
        session: InferenceSession = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises its own types, none of them public
        reason = " ".join(str(error).split())[:160]
        msg = f"{str(path)!r} is not a usable ONNX model ({reason}); fetch the bundle again"
        raise BundleError(msg) from error
    return session


class Classifier:
    """A bundle, ready to classify beats.

    Parameters
    ----------
    model : str, Path or Bundle
        As in `ectopy.models.bundle.find_bundle`.
    threads : int
        Batches, or half hours of a long recording, that are worked on at the same time.

    Raises
    ------
    BundleError
        If the bundle is missing or its graph cannot be loaded.
    """

    def __init__(self, model: str | Path | Bundle, *, threads: int = THREADS) -> None:
        self.bundle = model if isinstance(model, Bundle) else find_bundle(model)
        contract = self.bundle.contract
        self.threads = threads
        self._session = open_graph(self.bundle)
        self.reads_rhythm = contract.reads_rhythm
        inputs = self._session.get_inputs()
        self._names = [one.name for one in inputs]
        length = contract.before + contract.after
        expected = [[1, length]]
        if self.reads_rhythm:
            expected = [[3, length], [len(contract.rhythm_features)]]
        found = [list(one.shape[1:]) for one in inputs]
        if found != expected:
            path = self.bundle.folder / ONNX_FILE
            msg = (
                f"{str(path)!r} takes inputs of shape {found}, its contract says {expected}; "
                "fetch the bundle again"
            )
            raise BundleError(msg)

    def logits(
        self, windows: NDArray[np.float32], *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Run the network of a model that sees single beats.

        Parameters
        ----------
        windows : ndarray of float32, shape (beats, samples)
            Windows as the bundle's input contract says, normalised.
        threads : int, optional
            Batches at the same time; as many as the classifier has unless given.

        Returns
        -------
        ndarray of float32, shape (beats, 5)

        Raises
        ------
        BundleError
            If the model reads rhythm as well.
        """
        if self.reads_rhythm:
            msg = f"{self.bundle.full_name} reads the rhythm of a whole recording, not windows "
            raise BundleError(msg + "alone; give signal and beats to Classifier.classify")
        rows = slice(0, len(windows))
        return self._batches(lambda batch: self._run(windows[batch, None, :]), rows, threads)

    def _batches(
        self, run: Callable[[slice], NDArray[np.float32]], rows: slice, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Logits of consecutive rows, batch by batch."""
        batches = [
            slice(start, min(start + BATCH, rows.stop))
            for start in range(rows.start, rows.stop, BATCH)
        ]
        threads = min(threads or self.threads, len(batches))
        found = map(run, batches) if threads <= 1 else work_ahead(run, batches, threads)
        out = np.empty((rows.stop - rows.start, len(CLASSES)), dtype=np.float32)
        for batch, logits in zip(batches, found, strict=True):
            out[batch.start - rows.start : batch.stop - rows.start] = logits
        return out

    def _run(self, *parts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of one batch."""
        feed = {name: np.ascontiguousarray(p) for name, p in zip(self._names, parts, strict=True)}
        return np.asarray(self._session.run(None, feed)[0])

    def classify_windows(
        self, windows_mv: NDArray[np.float32], *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Normalise windows and give class probabilities, calibrated as the bundle says.

        Parameters
        ----------
        windows_mv : ndarray of float32, shape (beats, samples)
            Windows in mV at the contract's sampling frequency.
        threads : int, optional
            Batches at the same time; as many as the classifier has unless given.

        Returns
        -------
        ndarray of float32, shape (beats, 5)
            Probabilities in the order of `ectopy.beats.CLASSES`.
        """
        logits = self.logits(zscore(windows_mv), threads=threads)
        return softmax(logits, self.bundle.temperature)

    def classify(
        self, signal_mv: NDArray[np.float32], fs: float, peaks: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Give class probabilities for beats of one lead in memory; see `classify_lead`.

        Parameters
        ----------
        signal_mv : ndarray of float32, shape (samples,)
            One lead at any sampling frequency; missing samples (NaN) are bridged.
        fs : float
            Its sampling frequency in Hz.
        peaks : ndarray of int64, shape (beats,)
            Sample index of each beat at `fs`, ascending.

        Returns
        -------
        ndarray of float32, shape (beats, 5)

        Raises
        ------
        SignalError
            If the model reads rhythm and there is one beat only.
        """
        return self.classify_lead(Lead.of(signal_mv, fs), peaks)

    def classify_lead(
        self,
        lead: Lead,
        peaks: NDArray[np.int64] | NDArray[np.float64],
        *,
        causal: bool = False,
        seen: Callable[[Part], None] | None = None,
    ) -> NDArray[np.float32]:
        """Give class probabilities for the beats of a lead of any length.

        Half an hour is worked on at a time, see `ectopy.signal.parts`.

        Parameters
        ----------
        lead : Lead
        peaks : ndarray of int64 or float64, shape (beats,)
            Sample index of each beat, or its place between samples, ascending. A model that reads
            rhythm needs all beats of the recording, at least two.
        causal : bool
            Whether a beat is classed by what came before it and the interval after it alone, as
            `ectopy.inference.stream.Stream` does it; see `ectopy.signal.past`. To a model that
            sees single beats it makes no difference.
        seen : callable, optional
            Is given each part once it is done; not where it is `causal`.

        Returns
        -------
        ndarray of float32, shape (beats, 5)
            Of more than some 400,000 beats it lies in a temporary file.

        Raises
        ------
        SignalError
            If the model reads rhythm and there is one beat only, or the lead cannot be brought to
            the model's sampling frequency.
        RecordingError
            If it cannot be read.
        """
        if causal and self.reads_rhythm:
            return self._classify_causal(lead, peaks)
        times_s = self._times_s(peaks, lead.fs)
        divided = parts(times_s)
        # One part has all threads for its batches; several go side by side, one thread each.
        many = len(divided) > 1 and self.threads > 1
        side_by_side, each = (self.threads, 1) if many else (1, self.threads)

        def work(part: Part) -> NDArray[np.float32]:
            return self.classify_part(lead, peaks, times_s, part, threads=each)

        with Spool(len(CLASSES)) as probabilities:
            for part, found in zip(divided, work_ahead(work, divided, side_by_side), strict=True):
                probabilities.add(found)
                release(peaks)
                release(times_s)
                if seen is not None:
                    seen(part)
            return at_hand(probabilities.rows())

    def _times_s(
        self, peaks: NDArray[np.int64] | NDArray[np.float64], fs: float
    ) -> NDArray[np.float64]:
        """Give times of beats, in a temporary file where there are many."""
        with Spool(1, np.float64) as times:
            for rows in pieces(len(peaks)):
                times.add(model_times(peaks[rows], fs, self.bundle.contract)[:, None])
                release(peaks)
            return at_hand(times.rows()[:, 0])

    def classify_part(
        self,
        lead: Lead,
        peaks: NDArray[np.int64] | NDArray[np.float64],
        times_s: NDArray[np.float64],
        part: Part,
        *,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Give class probabilities for the beats of one part, which are rows of `peaks`."""
        rows = part.seen if self.reads_rhythm else part.own
        windows = section_windows(lead, peaks[rows], self.bundle.contract)
        if not self.reads_rhythm:
            return self.classify_windows(windows, threads=threads)
        inputs = beat_inputs(windows, times_s[part.seen], typical=part.typical)
        return self.classify_inputs(inputs, part.inner, threads=threads)

    def classify_inputs(
        self, inputs: BeatInputs, inner: slice | None = None, *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Give class probabilities for beats as a rhythm model sees them, or some rows of them."""
        first, stop, _ = (inner or slice(None)).indices(len(inputs))

        def run(rows: slice) -> NDArray[np.float32]:
            return self._run(inputs.shapes(rows), inputs.rhythm[rows])

        return softmax(self._batches(run, slice(first, stop), threads), self.bundle.temperature)

    def _classify_causal(
        self, lead: Lead, peaks: NDArray[np.int64] | NDArray[np.float64]
    ) -> NDArray[np.float32]:
        past, out = PastInputs(), []
        times_s = model_times(peaks, lead.fs, self.bundle.contract)
        after_s = intervals_after(times_s, lead.n_samples / lead.fs)
        for start in range(0, len(peaks), CAUSAL_BATCH):
            rows = slice(start, start + CAUSAL_BATCH)
            windows = section_windows(lead, peaks[rows], self.bundle.contract)
            inputs = past.push(windows, times_s[rows], after_s[rows])
            out.append(self.classify_inputs(inputs))
        return np.concatenate([*out, self.classify_inputs(past.finish())])


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Turn logits into probabilities along the last axis.

    Parameters
    ----------
    logits : ndarray of float32, shape (..., classes)
    temperature : float
        What they are divided by first, above 0; it makes probabilities more even where it is above
        1, and never changes which is the largest.

    Returns
    -------
    ndarray of float32, shape (..., classes)

    Examples
    --------
    >>> softmax(np.zeros((1, 4), dtype=np.float32)).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    below = logits - logits.max(axis=-1, keepdims=True)
    shifted = np.exp(below if temperature == 1 else below / np.float64(temperature))
    found = np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)
    top = logits.argmax(axis=-1)
    tied = found.argmax(axis=-1) != top
    if tied.any():  # logits so near that their probabilities are rounded to the same
        place = (*np.nonzero(tied), top[tied])
        found[place] = np.nextafter(found[place], np.float32(2))
    return found
