"""Likeness features: what they say of beats whose difference is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ectopy.models.likeness import FLOORS, LIKENESS_FEATURES, MOST_CORRELATION, Likeness

NAMES = list(LIKENESS_FEATURES)
TOP = math.atanh(MOST_CORRELATION)
T = np.arange(-128, 128)


def bump(place: float, width: float, height: float) -> np.ndarray:
    return height * np.exp(-(((T - place) / width) ** 2) / 2)


P, QRS, T_WAVE = bump(-60, 9, 0.15), bump(0, 6, 1.0) - bump(14, 5, 0.3), bump(85, 14, 0.25)
NORMAL = P + QRS + T_WAVE
BROAD = bump(5, 18, 1.3) - bump(80, 20, 0.5)


def features(
    beat: np.ndarray, overall: np.ndarray = NORMAL, local: np.ndarray | None = None
) -> dict[str, float]:
    parts = [beat, overall, overall if local is None else local]
    shapes = torch.tensor(np.stack(parts)[None], dtype=torch.float32)
    shapes = shapes - shapes.mean(dim=-1, keepdim=True)
    found = Likeness()(shapes)
    assert found.shape == (1, len(NAMES))
    assert torch.isfinite(found).all()
    return dict(zip(NAMES, found[0].tolist(), strict=True))


def moved(samples: float) -> np.ndarray:
    return np.interp(T - samples, T, NORMAL)


def test_each_name_once_and_a_column_for_it():
    assert len(NAMES) == len(set(NAMES)) == 21
    assert Likeness()(torch.randn(7, 3, 256)).shape == (7, 21)
    assert list(Likeness().parameters()) == []  # nothing is learned
    assert all(text and not text.endswith(".") for text in LIKENESS_FEATURES.values())


def test_the_typical_beat_itself():
    found = features(NORMAL)
    height_mv = np.ptp(np.convolve(NORMAL, np.ones(5) / 5, "same")[128 - 30 : 128 + 48])
    for region, floor in FLOORS.items():
        for typical in ("overall", "local"):
            assert found[f"{region}_likeness_{typical}"] == pytest.approx(TOP, abs=1e-5)
            # The root keeps 1e-9 mV² back, so that its slope is finite.
            least = math.log(math.sqrt(1e-9) / (height_mv + 1e-3) + floor)
            assert found[f"{region}_difference_{typical}"] == pytest.approx(least, abs=5e-3)
    for name in ("qrs_height_overall", "qrs_height_local", "qrs_area_overall", "qrs_slope_overall"):
        assert found[name] == pytest.approx(math.log(1.05), abs=5e-3), name
    assert found["qrs_likeness_best"] == found["p_likeness_best"] == pytest.approx(TOP, abs=1e-5)


def test_order_of_the_columns():
    """Each changes where its own region and its own typical beat do, and only there."""
    parts = {"qrs": bump(0, 12, 0.8), "p": bump(-75, 9, 0.2), "t": bump(110, 9, 0.3)}
    plain = features(NORMAL)
    for region, change in parts.items():
        for typical in ("overall", "local"):
            typicals = {"overall": NORMAL, "local": NORMAL, typical: NORMAL + change}
            found = features(NORMAL, **typicals)
            changed = {
                name.removesuffix("_overall").removesuffix("_local"): name
                for name in NAMES
                if abs(found[name] - plain[name]) > 0.15
            }
            assert {f"{region}_likeness", f"{region}_difference"} <= set(changed)
            for name in changed.values():
                assert name.startswith(region) or region == "qrs", name
                if name.endswith(("_overall", "_local")):
                    assert name.endswith(typical), (region, typical, name)


@pytest.mark.parametrize("samples", [-6, -3, 3, 6])
def test_a_peak_put_elsewhere_is_no_difference(samples):
    found = features(moved(samples))
    for name in ("qrs_likeness_overall", "p_likeness_overall", "t_likeness_overall"):
        assert found[name] > 0.9 * TOP, name
    assert found["qrs_difference_overall"] < features(NORMAL)["qrs_difference_overall"] + 0.6


def test_a_peak_put_far_away_is_one():
    assert features(moved(30))["qrs_likeness_overall"] < 0.5 * TOP


def test_a_broad_beat():
    found, plain = features(BROAD), features(NORMAL)
    assert found["qrs_likeness_overall"] < 0.6 * TOP
    assert found["qrs_difference_overall"] > plain["qrs_difference_overall"] + 1.5
    assert found["qrs_area_overall"] > plain["qrs_area_overall"] + 0.2
    assert found["t_likeness_overall"] < 0


def test_a_beat_upside_down():
    found = features(-NORMAL)
    assert found["qrs_likeness_overall"] < 0.2 * TOP
    assert found["p_likeness_overall"] < 0
    assert found["qrs_height_overall"] == pytest.approx(math.log(1.05), abs=5e-3)
    both = features(-NORMAL, -NORMAL)
    assert both == pytest.approx(features(NORMAL), abs=1e-4)


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_gain_of_the_beat_changes_only_sizes(gain):
    found, plain = features(gain * NORMAL), features(NORMAL)
    for name in NAMES:
        if "likeness" in name:
            assert found[name] == pytest.approx(plain[name], abs=0.02), name
    for name in ("qrs_height_overall", "qrs_height_local", "qrs_area_overall", "qrs_slope_overall"):
        assert found[name] == pytest.approx(math.log(gain + 0.05), abs=0.01), name
    assert (found["p_size_overall"] > plain["p_size_overall"]) == (gain > 1)


@pytest.mark.parametrize("gain", [0.5, 4.0])
def test_gain_of_the_recording_changes_nothing_much(gain):
    found = features(gain * BROAD, gain * NORMAL)
    assert found == pytest.approx(features(BROAD, NORMAL), abs=0.15)


def test_another_p_wave():
    plain = features(NORMAL)
    without, flipped = features(NORMAL - P), features(NORMAL - 2 * P)
    assert without["p_size_overall"] < plain["p_size_overall"] - 1
    assert flipped["p_likeness_overall"] < 0
    assert flipped["p_size_overall"] == pytest.approx(plain["p_size_overall"], abs=0.1)
    for name in NAMES:
        if name.startswith(("qrs", "t_")):
            assert flipped[name] == pytest.approx(plain[name], abs=0.05), name


def test_a_line_under_the_p_wave_does_not_matter():
    """Wander, or the T wave of an early beat's predecessor: nearly straight over the P wave."""
    plain, sloped = features(NORMAL), features(NORMAL + 0.004 * T)
    names = ("p_likeness_overall", "p_likeness_local", "p_likeness_best", "p_size_overall")
    for name in (*names, "p_size"):
        assert sloped[name] == pytest.approx(plain[name], abs=0.05), name


def test_the_better_of_two_typical_beats():
    found = features(BROAD, NORMAL, BROAD)
    assert found["qrs_likeness_local"] == pytest.approx(TOP, abs=1e-5)
    assert found["qrs_likeness_best"] == found["qrs_likeness_local"]
    assert features(BROAD, BROAD, NORMAL)["qrs_likeness_best"] == pytest.approx(TOP, abs=1e-5)


def test_a_beat_s_own_width():
    """By hand: spread in time of the square of what stands above the region's mean."""
    found = []
    for sd_ms in (8, 14, 24, 40):
        shape = bump(8, sd_ms * 0.36, 1.0)
        slow = np.convolve(np.pad(shape, 2), np.ones(5) / 5, "valid")[::3][33:58]
        power = (slow - slow.mean()) ** 2
        time = np.arange(25) / 1.2
        centre = (power * time).sum() / power.sum()
        spread = math.sqrt((power * (time - centre) ** 2).sum() / power.sum())
        found.append(features(shape)["qrs_width"])
        assert found[-1] == pytest.approx(math.log(spread + 0.5), abs=1e-3)
    assert min(np.diff(found)) > 0.1  # the broader, the more


def test_what_is_of_the_beat_alone_knows_no_typical_beat():
    other = features(NORMAL, BROAD, -BROAD)
    for name in ("qrs_width", "p_size"):
        assert other[name] == pytest.approx(features(NORMAL)[name], abs=1e-4)
    paced, plain = features(BROAD, BROAD), features(NORMAL)
    assert paced["qrs_likeness_best"] == pytest.approx(TOP, abs=1e-5)  # it is typical, and yet
    assert paced["qrs_width"] > plain["qrs_width"] + 0.3
    assert features(NORMAL - P)["p_size"] < plain["p_size"] - 1


@pytest.mark.parametrize("gain", [0.3, -1.0, 5.0])
def test_what_is_of_the_beat_alone_knows_no_gain(gain):
    for name in ("qrs_width", "p_size"):
        assert features(gain * NORMAL)[name] == pytest.approx(features(NORMAL)[name], abs=0.02)


def test_flat_signals_are_finite():
    flat = np.zeros(256)
    for parts in ((flat, flat), (flat, NORMAL), (NORMAL, flat)):
        found = features(*parts)
        assert found["qrs_likeness_overall"] == pytest.approx(0, abs=1e-5)


def test_its_slope_is_finite_everywhere():
    for n in ("flat", "same"):
        shapes = torch.zeros(2, 3, 256) if n == "flat" else torch.randn(2, 1, 256).repeat(1, 3, 1)
        shapes.requires_grad_()
        Likeness()(shapes).sum().backward()
        assert torch.isfinite(shapes.grad).all()
