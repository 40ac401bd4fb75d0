"""Named features of the rhythm models in plain words and plain numbers.

A model reads logarithms of ratios and the like; a person reads the ratio. Both are said here for
every feature, and which values it can take at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atanh, inf, log
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ectopy.signal.rhythm import LEAST_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

Form = Literal["log", "log of 1 more", "half log", "half log of 1 more", "atanh"]

MOST_LIKE = atanh(0.97)
"""Where likenesses end, as in `ectopy.models.likeness` and `ectopy.signal.typical`."""

MOST_BEATS = 2.0
"""Where the lengths of stretches end, as in `ectopy.signal.rhythm`: 55 beats."""


@dataclass(frozen=True)
class FeatureScale:
    """How one named feature is read.

    Attributes
    ----------
    label : str
        What it is, short enough for the title of a small panel.
    form : str
        What the feature is of its plain value.
    unit : str
        Of the plain value: ``ratio``, ``correlation`` and the like.
    floor : float
        What is added to the plain value before its logarithm, in the feature's own measure.
    per : float
        Plain units in one of the feature's own measure.
    least, most : float
        Values of the feature itself, not of the plain one, that it cannot go beyond.
    ticks : tuple of float
        Plain values to label an axis with, those that matter most first.
    """

    label: str
    form: Form
    unit: str
    floor: float = 0.0
    per: float = 1.0
    least: float = -inf
    most: float = inf
    ticks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            msg = f"unknown form {self.form!r}"
            raise ValueError(msg)

    def plain(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Plain values of feature values, any shape."""
        if self.form == "atanh":
            return np.tanh(x)
        times = 2 if self.form.startswith("half") else 1
        return self.per * (np.exp(times * x) - self._added)

    def feature(self, plain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Feature values of plain values, any shape."""
        if self.form == "atanh":
            return np.arctanh(plain)
        times = 2 if self.form.startswith("half") else 1
        return np.log(plain / self.per + self._added) / times

    @property
    def _added(self) -> float:
        return 1.0 if self.form.endswith("1 more") else self.floor


_RATIO = FeatureScale("", "log", "ratio", ticks=(1, 0.5, 2, 0.7, 1.5, 0.3, 3, 0.2, 5, 0.1, 10, 20))
_SIZE = replace(_RATIO, floor=0.05, least=log(0.05))
_ALIKE = FeatureScale(
    "", "atanh", "correlation", least=-MOST_LIKE, most=MOST_LIKE,
    ticks=(0, 0.9, 0.5, -0.5, -0.9, 0.7, 0.97, -0.97),
)  # fmt: skip
_CHANGE = FeatureScale(
    "", "log of 1 more", "share an interval changes by", least=0.0,
    ticks=(0, 0.1, 0.2, 0.4, 0.6, 1, 2, 0.05),
)  # fmt: skip
_SHARE = FeatureScale(
    "", "log", "share of RR", floor=LEAST_SHARE, least=log(LEAST_SHARE), most=log(1 + LEAST_SHARE),
    ticks=(1, 0.1, 0.3, 0.03, 0.5, 0, 0.2),
)  # fmt: skip
_BEATS = FeatureScale(
    "", "half log", "beats", least=0.0, most=MOST_BEATS, ticks=(1, 3, 10, 50, 2, 5, 20)
)
_AGE = replace(_BEATS, form="half log of 1 more", ticks=(0, 3, 10, 50, 1, 20))


def _apart(floor: float) -> FeatureScale:
    return FeatureScale(
        "", "log", "share of QRS height", floor=floor, least=log(floor),
        ticks=(0.1, 0.02, 0.3, 1, 0.05, 0, 0.01, 3),
    )  # fmt: skip


_APART = {"QRS": _apart(0.02), "P": _apart(0.01), "T": _apart(0.01)}

_WIDTH = FeatureScale(
    "", "log", "ms, SD in time", floor=0.5, per=10.0, least=log(0.5), most=log(10.5),
    ticks=(20, 40, 10, 30, 60, 5, 0, 80, 15),
)  # fmt: skip


def _regions(typical: str, word: str) -> dict[str, FeatureScale]:
    """Likeness and difference to one of the typical beats, region by region."""
    found = {}
    for region, apart in _APART.items():
        stem = region.lower()
        apart_from = f"{region} differs from {word}"
        found[f"{stem}_likeness_{typical}"] = replace(_ALIKE, label=f"{region} shape like {word}")
        found[f"{stem}_difference_{typical}"] = replace(apart, label=apart_from)
    return found


FEATURE_SCALES: dict[str, FeatureScale] = {
    "before_to_median": replace(_RATIO, label="RR before / median RR"),
    "after_to_median": replace(_RATIO, label="RR after / median RR"),
    "before_to_long": replace(_RATIO, label="RR before / long RR nearby"),
    "before_to_overall": replace(_RATIO, label="RR before / long RR overall"),
    "before_to_slow": replace(_RATIO, label="RR before / longest RR overall"),
    "change": replace(_RATIO, label="RR before / the one before it"),
    "previous_to_median": replace(_RATIO, label="previous beat's RR / median"),
    "next_to_median": replace(_RATIO, label="RR after next beat / median"),
    "second_previous_to_median": replace(_RATIO, label="RR two beats back / median"),
    "median_to_long": replace(_RATIO, label="median RR / long RR nearby"),
    "irregularity": replace(_CHANGE, label="irregularity of RR"),
    "least_irregularity": replace(_CHANGE, label="irregularity, patterns aside"),
    "irregularity_long": replace(_CHANGE, label="irregularity over 121 beats"),
    "alike": replace(_SHARE, label="RR around like this one"),
    "alike_around": replace(_SHARE, label="RR around like one another"),
    "pair_to_median": replace(_RATIO, label="RR around the beat / median"),
    "stretch_to_past": replace(_RATIO, label="RR of stretch / RR before it"),
    "stretch_to_future": replace(_RATIO, label="RR of stretch / RR after it"),
    "before_to_past": replace(_RATIO, label="RR before / before stretch"),
    "before_to_future": replace(_RATIO, label="RR before / after stretch"),
    "stretch_length": replace(_BEATS, label="beats in stretch of like RR"),
    "stretch_age": replace(_AGE, label="beats of stretch so far"),
    "p_steadiness": replace(_ALIKE, label="P waves around alike"),
    **_regions("overall", "typical"),
    **_regions("local", "local typical"),
    "qrs_height_overall": replace(_SIZE, label="QRS height / typical"),
    "qrs_height_local": replace(_SIZE, label="QRS height / local typical"),
    "qrs_area_overall": replace(_SIZE, label="QRS area / typical"),
    "qrs_slope_overall": replace(_SIZE, label="QRS slope / typical"),
    "p_size_overall": replace(_SIZE, label="P size / typical"),
    "qrs_likeness_best": replace(_ALIKE, label="QRS shape like either typical"),
    "p_likeness_best": replace(_ALIKE, label="P shape like either typical"),
    "qrs_width": replace(_WIDTH, label="QRS width"),
    "p_size": replace(_apart(0.003), label="P size / own QRS height"),
}
"""By name, in the order in which the head has them."""
