"""A long recording in slices gives what it gives in one pass."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.inference.analyze import analyze
from ectopy.inference.engine import Classifier
from ectopy.inference.finder import shipped_finder
from ectopy.readers.lead import Lead
from ectopy.readers.source import MemorySource
from ectopy.recording import Recording
from ectopy.simulate import simulate

FS = 200.0


@pytest.fixture(scope="module")
def recording() -> Recording:
    """An hour and forty minutes: two half hours, and a third part with the rest."""
    made, _ = simulate(1500, fs=FS, seed=5)
    signal = np.concatenate([made.signal_mv, 0.9 * made.signal_mv[::-1]] * 2)
    return Recording(signal, FS, made.leads, "long")


@pytest.mark.parametrize("slice_s", [61.0, 300.0, 10_000.0])
def test_beats_at_the_borders_of_slices(recording, slice_s):
    lead = recording.signal_mv[:, 0]
    whole = shipped_finder().find(lead, FS, slice_s=1e6)
    sliced = shipped_finder().find_lead(Lead.of(lead, FS), slice_s=slice_s)
    assert sliced.peaks.tolist() == whole.peaks.tolist()
    np.testing.assert_allclose(sliced.confidences, whole.confidences, atol=1e-6)


@pytest.mark.parametrize("model", ["rhythm-kan", "cnn-mlp"])
def test_labels_do_not_depend_on_where_it_is_read(recording, model):
    """Beats of each half hour, its first and last ones included, from the signal around alone."""

    class Narrow(MemorySource):
        def _read(self, first, stop, columns):
            assert stop - first < 2700 * FS, "more than its part and what is beside it"
            return super()._read(first, stop, columns)

    lead = Lead.of(recording.signal_mv[:, 0], FS)
    peaks = shipped_finder().find_lead(lead).peaks
    narrow = Lead(Narrow(**vars(lead.source)), 0)
    classifier = Classifier(model)
    whole = classifier.classify_lead(lead, peaks)
    np.testing.assert_array_equal(classifier.classify_lead(narrow, peaks), whole)
    # A recording that ends earlier says the same of its first hour, but for what ends with it.
    hour = peaks[peaks < 3600 * FS]
    assert len(hour) < len(peaks)
    first_half = hour < 1800 * FS
    np.testing.assert_array_equal(
        classifier.classify_lead(lead, peaks[: len(hour) + 200])[: len(hour)][first_half],
        whole[: len(hour)][first_half],
    )


def test_progress_is_told_of_each_slice(recording):
    told: list[tuple[str, float]] = []
    analyze(recording, progress=lambda what, done: told.append((what, done)))
    for what in ("finding beats", "classing beats"):
        shares = [done for name, done in told if name == what]
        assert len(shares) >= 3
        assert shares == sorted(shares)
        assert shares[-1] == 1
