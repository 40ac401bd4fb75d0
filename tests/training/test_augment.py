"""Augmentation: what it changes, and what it must not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ectopy.signal import windows as preprocessing
from ectopy.training.augment import augment, crop, zscore
from ectopy.training.recipe import AugmentSettings

MARGIN = 32
EVERYTHING = AugmentSettings(
    probability=0.5, shift=2.0, stretch=0.02, noise=0.08, wander=0.2, mains=0.04, tilt=0.08
)


@pytest.fixture
def windows() -> torch.Tensor:
    """Clean beats in mV, a narrow wave in the middle of each, with spare samples."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(256 + 2 * MARGIN) - MARGIN - 128
    width = 3 + 6 * torch.rand(64, 1, generator=generator)
    return 1.2 * torch.exp(-((time / width) ** 2)) - 0.3 + 0.1 * torch.sin(time / 20)


def change(windows: torch.Tensor, seed: int = 0, **settings: float) -> torch.Tensor:
    torch.manual_seed(seed)
    return augment(windows, MARGIN, AugmentSettings(**settings))


def plain(windows: torch.Tensor) -> torch.Tensor:
    return zscore(crop(windows, MARGIN))


def test_crop():
    x = torch.arange(20.0).reshape(2, 10)
    assert crop(x, 3).tolist() == [[3, 4, 5, 6], [13, 14, 15, 16]]
    assert crop(x, 0) is x


@pytest.mark.parametrize(
    ("spread_mv", "flat"), [(1.0, False), (1.1e-4, False), (0.9e-4, True), (0.0, True)]
)
def test_zscore_is_that_of_inference(spread_mv, flat):
    x = preprocessing.zscore(np.random.default_rng(1).normal(0, 1, (30, 256)).astype(np.float32))
    x = np.asarray(x * spread_mv, dtype=np.float32)
    found = zscore(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, preprocessing.zscore(x), atol=1e-5)
    assert found.any() != flat


@pytest.mark.parametrize("margin", [0, 8, MARGIN])
def test_shape_and_normalisation(margin):
    torch.manual_seed(3)
    out = augment(torch.randn(50, 256 + 2 * margin), margin, EVERYTHING)
    assert out.shape == (50, 256)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.mean(1), torch.zeros(50), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.square().mean(1), torch.ones(50), atol=1e-4, rtol=0)


def test_the_seed_decides(windows):
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment(windows, MARGIN, EVERYTHING))
    assert torch.equal(results[0], results[1])
    assert not torch.allclose(results[0], results[2])


def test_the_windows_given_are_left_as_they_are(windows):
    before = windows.clone()
    augment(windows, MARGIN, EVERYTHING)
    assert torch.equal(windows, before)


@pytest.mark.parametrize(
    "settings",
    [
        {"probability": 0.0, "shift": 4, "stretch": 0.1, "noise": 1, "wander": 1, "mains": 1,
         "tilt": 1},
        {"probability": 1.0},
    ],
)  # fmt: skip
def test_nothing_to_do_leaves_the_plain_window(windows, settings):
    torch.testing.assert_close(change(windows, **settings), plain(windows), atol=1e-5, rtol=0)


def test_probability_is_the_share_that_is_touched():
    x = torch.randn(4000, 64 + 2 * MARGIN, generator=torch.Generator().manual_seed(5))
    difference = (change(x, probability=0.3, noise=0.5) - plain(x)).abs().amax(1)
    assert (difference > 1e-4).float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_shift_moves_the_peak_by_whole_samples(windows):
    out = change(windows, probability=1.0, shift=5.0)
    moved = 128 - out.argmax(dim=1)
    assert len(set(moved.tolist())) > 8
    assert 3.5 < moved.float().std() < 6.5
    for row, shift in enumerate(moved.tolist()):
        expected = zscore(windows[row : row + 1, MARGIN + shift : MARGIN + shift + 256])
        torch.testing.assert_close(out[row : row + 1], expected, atol=1e-4, rtol=0)


def test_a_shift_beyond_the_margin_stays_within_the_samples_there_are(windows):
    out = change(windows, probability=1.0, shift=500.0)
    assert torch.isfinite(out).all()


def test_stretch_widens_or_narrows_about_the_peak(windows):
    out = change(windows, probability=1.0, stretch=0.3)
    assert (out.argmax(dim=1) - 128).abs().max() <= 1
    wide = (out > out.amax(1, keepdim=True) / 2).sum(1)
    before = (plain(windows) > plain(windows).amax(1, keepdim=True) / 2).sum(1)
    assert (wide > before).any()
    assert (wide < before).any()


@pytest.mark.parametrize("kind", ["noise", "wander", "mains", "tilt"])
def test_each_change_alone_is_about_as_large_as_asked_for(windows, kind):
    small = (change(windows, probability=1.0, **{kind: 0.02}) - plain(windows)).std(1)
    large = (change(windows, probability=1.0, **{kind: 0.2}) - plain(windows)).std(1)
    assert 1e-4 < small.mean() < 0.02
    assert 5 * small.mean() < large.mean() < 0.2


def test_mains_is_a_sine_of_50_or_60_hz():
    flat = torch.zeros(200, 256 + 2 * MARGIN)
    flat[:, ::2] = 1.0  # something at 180 Hz, so that the window is not flat
    out = change(flat, probability=1.0, mains=0.5)
    spectrum = torch.fft.rfft(out * torch.hann_window(256)).abs()
    hz = torch.arange(129) * 360 / 256
    low = torch.where(hz < 170, spectrum, 0.0)
    strong = low.amax(1) > 1
    peaks = hz[low[strong].argmax(1)]
    assert strong.sum() > 100
    assert ((peaks - 50).abs().minimum((peaks - 60).abs()) < 1.5).all()
    assert (peaks < 55).any()
    assert (peaks > 55).any()


def test_wander_is_slow():
    flat = torch.zeros(200, 256 + 2 * MARGIN)
    flat[:, ::2] = 1.0
    out = change(flat, probability=1.0, wander=0.5)
    smooth = out.unfold(1, 2, 1).mean(2)  # without the 180 Hz
    assert smooth.std() > 0.05
    assert smooth.diff(dim=1).abs().max() < 0.5 * 2 * np.pi * 0.85 / 360


def test_flat_windows_stay_finite():
    out = augment(torch.zeros(40, 256 + 2 * MARGIN), MARGIN, EVERYTHING)
    assert torch.isfinite(out).all()
