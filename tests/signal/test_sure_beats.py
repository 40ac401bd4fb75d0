"""Noise among beats that the finder is sure of."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal import sure_beats
from ectopy.signal.second_flags import FLAT, MAINS, NOISE, SecondsQuality
from ectopy.signal.sure_beats import LEAST_BEATS, SURE, spare_sure

FS = 100.0


def noisy(n: int = 40, flag: int = NOISE) -> SecondsQuality:
    return SecondsQuality(np.full(n, flag, dtype=np.uint8))


def beats(n: int = 40, confidence: float = 0.99) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(50, 100 * n, 100), np.full(n, confidence, dtype=np.float32)


@pytest.mark.parametrize(("confidence", "spared"), [(SURE + 0.01, True), (SURE - 0.01, False)])
def test_the_mean_confidence_decides(confidence, spared):
    found = spare_sure(noisy(), *beats(confidence=confidence), FS)
    assert (found.flags == (0 if spared else NOISE)).all()


def test_doubtful_beats_mark_what_is_around_them():
    peaks, confidences = beats()
    confidences[20] = 0.3
    found = spare_sure(noisy(), peaks, confidences, FS)
    assert np.flatnonzero(found.flags).tolist() == list(range(15, 26))


def test_too_few_beats_vouch_for_nothing():
    peaks, confidences = beats()
    few = slice(0, LEAST_BEATS - 1)
    assert (spare_sure(noisy(), peaks[few], confidences[few], FS).flags == NOISE).all()
    assert (spare_sure(noisy(), peaks[:0], confidences[:0], FS).flags == NOISE).all()


def test_other_flags_stay():
    for flag in (FLAT, NOISE | FLAT, NOISE | MAINS, MAINS):
        found = spare_sure(noisy(flag=flag), *beats(), FS)
        assert (found.flags == flag & ~NOISE).all()


def test_nothing_to_spare():
    empty = noisy(0)
    assert spare_sure(empty, *beats(0), FS) is empty
    good = noisy(flag=0)
    assert spare_sure(good, *beats(), FS) is good


def test_pieces_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    peaks = np.sort(rng.integers(0, 40_500, 500))
    confidences = rng.choice(np.float32([0.9, 0.97, 1.0]), 500)
    quality = SecondsQuality(rng.choice(np.uint8([0, NOISE, NOISE | FLAT]), 400))
    whole = spare_sure(quality, peaks, confidences, FS)
    assert 0 < (whole.flags != quality.flags).sum() < 250
    monkeypatch.setattr(sure_beats, "PIECE_S", 7)
    found = spare_sure(quality, peaks, confidences, FS)
    np.testing.assert_array_equal(found.flags, whole.flags)
