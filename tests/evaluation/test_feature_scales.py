"""Named features in plain words and numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ectopy.evaluation.feature_scales import FEATURE_SCALES, MOST_LIKE, FeatureScale
from ectopy.models import likeness
from ectopy.models.rhythm import NAMED_FEATURES
from ectopy.signal import typical
from ectopy.signal.rhythm import RHYTHM_FEATURES, rhythm_features


def plain(name: str, x: float) -> float:
    return float(FEATURE_SCALES[name].plain(np.array(x)))


def test_every_named_feature_in_the_head_s_order():
    assert tuple(FEATURE_SCALES) == NAMED_FEATURES
    labels = [scale.label for scale in FEATURE_SCALES.values()]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 30  # the title of a small panel, and a cell of the table
    assert min(map(len, labels)) > 0
    assert np.tanh(MOST_LIKE) == pytest.approx(likeness.MOST_CORRELATION)
    assert likeness.MOST_CORRELATION == typical.MOST_CORRELATION


@pytest.mark.parametrize("name", FEATURE_SCALES)
def test_plain_values_and_back(name):
    scale = FEATURE_SCALES[name]
    x = np.linspace(max(scale.least, -2.0), min(scale.most, 2.0), 9)
    np.testing.assert_allclose(scale.feature(scale.plain(x)), x, atol=1e-9)
    assert (np.diff(scale.plain(x)) > 0).all()


def test_unknown_form():
    with pytest.raises(ValueError, match="unknown form 'square'"):
        FeatureScale("", "square", "")


def test_rhythm_in_plain_numbers():
    """Regular at 0.8 s, then one beat at 0.4 s and a pause of 1.2 s."""
    intervals = np.full(60, 0.8)
    intervals[[30, 31]] = 0.4, 1.2
    features = rhythm_features(np.concatenate([[0.0], np.cumsum(intervals)]))
    early = dict(zip(RHYTHM_FEATURES, features[31].tolist(), strict=True))
    ratios = {
        "before_to_median": 0.5, "after_to_median": 1.5, "before_to_long": 0.5, "change": 0.5,
        "before_to_overall": 0.5, "before_to_slow": 0.5, "previous_to_median": 1,
        "next_to_median": 1,
        "second_previous_to_median": 1, "median_to_long": 1, "pair_to_median": 1,
        "stretch_to_past": 0.5, "stretch_to_future": 0.5, "before_to_past": 0.5,
        "before_to_future": 0.5,
    }  # fmt: skip
    for name, ratio in ratios.items():
        assert plain(name, early[name]) == pytest.approx(ratio, abs=1e-4), name
    is_ratio = {name for name in RHYTHM_FEATURES if FEATURE_SCALES[name].unit == "ratio"}
    assert is_ratio == set(ratios)
    assert plain("alike", early["alike"]) == pytest.approx(1 / 61, abs=1e-4)
    assert 0.9 < plain("alike_around", early["alike_around"]) < 1
    assert plain("stretch_length", early["stretch_length"]) == pytest.approx(1)
    later = dict(zip(RHYTHM_FEATURES, features[40].tolist(), strict=True))
    assert plain("stretch_length", later["stretch_length"]) == pytest.approx(28, rel=1e-4)
    assert plain("stretch_age", later["stretch_age"]) == pytest.approx(7, rel=1e-4)
    swinging = np.cumsum(np.tile([0.8, 0.88], 40))
    irregular = dict(zip(RHYTHM_FEATURES, rhythm_features(swinging)[40].tolist(), strict=True))
    for name in ("irregularity", "irregularity_long"):
        assert plain(name, irregular[name]) == pytest.approx(0.1, abs=1e-4)
    assert plain("least_irregularity", irregular["least_irregularity"]) == pytest.approx(0)


def likenesses(shapes: torch.Tensor) -> dict[str, np.ndarray]:
    found = likeness.Likeness()(shapes).numpy().astype(np.float64)
    return dict(zip(likeness.LIKENESS_FEATURES, found.T, strict=True))


def test_likeness_in_plain_numbers():
    """A beat twice as high as its typical beats, but otherwise like them."""
    time = torch.arange(256.0)
    wave = torch.exp(-(((time - 128) / 6) ** 2)) + 0.2 * torch.exp(-(((time - 75) / 8) ** 2))
    found = likenesses(torch.stack([2 * wave, wave, wave])[None])
    for name in ("qrs_height_overall", "qrs_height_local", "qrs_area_overall", "qrs_slope_overall"):
        assert plain(name, found[name][0]) == pytest.approx(2, rel=0.02), name
    assert plain("p_size_overall", found["p_size_overall"][0]) == pytest.approx(1.8, abs=0.25)
    for name in ("qrs_likeness_overall", "p_likeness_local", "qrs_likeness_best"):
        assert plain(name, found[name][0]) == pytest.approx(0.97, abs=1e-4), name
    begin, end = likeness.REGIONS["qrs"]
    slow = torch.nn.functional.avg_pool1d(wave[None, None], 5, 3, 2)[0, 0, begin:end].numpy()
    power, time_ms = (slow - slow.mean()) ** 2, np.arange(end - begin) / 0.12
    width = np.sqrt(np.cov(time_ms, aweights=power, ddof=0))
    assert plain("qrs_width", found["qrs_width"][0]) == pytest.approx(width, rel=1e-3)
    share = (slow - slow.mean()).std() / np.ptp(slow)
    name = "qrs_difference_overall"
    assert plain(name, found[name][0]) == pytest.approx(share, abs=0.02)


def test_no_feature_leaves_its_range():
    generator = torch.Generator().manual_seed(1)
    shapes = torch.randn(300, 3, 256, generator=generator)
    shapes[:100, 0] = shapes[:100, 1]
    shapes[100:150, 0] = -shapes[100:150, 2]
    shapes[150:200, 0] = 0
    shapes[200:220] *= 1e-4
    found = likenesses(shapes)
    rng = np.random.default_rng(2)
    intervals = np.concatenate([rng.uniform(0.1, 5, 200), np.full(300, 0.8)])
    features = rhythm_features(np.cumsum(intervals))
    found |= dict(zip(RHYTHM_FEATURES, features.T.astype(np.float64), strict=True))
    assert set(found) == set(FEATURE_SCALES) - {typical.STEADINESS}
    for name, values in found.items():
        scale = FEATURE_SCALES[name]
        assert values.min() >= scale.least - 1e-4, name
        assert values.max() <= scale.most + 1e-4, name
    for name, end in (("stretch_length", 2), ("qrs_likeness_best", MOST_LIKE)):
        assert found[name].max() == pytest.approx(end, abs=1e-4)
    assert found["p_difference_overall"].min() == pytest.approx(np.log(0.01), abs=0.02)
