"""What a KAN head over named features learned: a curve for each feature and class.

A curve is a section through the learned function: one feature moves, all others stay at their mean
of training and the embedding at 0, as it was for many beats in training. It says what the model
would answer, not what causes an arrhythmia, and not what happens where features move together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy._version import code_version
from ectopy.beats import CLASSES
from ectopy.evaluation.feature_scales import FEATURE_SCALES
from ectopy.evaluation.kan_head import LIMIT, KANHead, load_kan_head, silu
from ectopy.models.bundle import find_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ectopy.evaluation.feature_scales import FeatureScale

POINTS = 81
"""Of a curve, evenly over its range; its mean and the ends of the middle are added."""

MIDDLE_SD = 2.0
"""The middle of a feature's distribution: so many standard deviations around its mean."""

HELD_FIXED = (
    "One feature moves; all others stay at their mean in training, the encoder's embedding at 0: "
    "a section through the learned function, not a cause."
)


@dataclass(frozen=True, eq=False)
class FeatureFunction:
    """What the logits do while one feature moves.

    Attributes
    ----------
    name : str
    mean, sd : float
        Of the feature in training: running averages over the last batches.
    x : ndarray of float64, shape (points,)
        Values of the feature, ascending: four standard deviations around its mean, where the model
        stops to look, as far as the feature can take them.
    logits : ndarray of float64, shape (points, 5)
        Change of each class's logit against that at the mean.
    middle : tuple of float
        Where the middle of the distribution begins and ends, both among `x`.
    first_layer_not_linear : float or None
        How far the first layer's functions of this feature are from straight lines over the
        middle, see `not_linear`: whether the spline of this feature matters. The curve itself may
        be bent by the layers after it.
    """

    name: str
    mean: float
    sd: float
    x: NDArray[np.float64]
    logits: NDArray[np.float64]
    middle: tuple[float, float]
    first_layer_not_linear: float | None

    @property
    def scale(self) -> FeatureScale:
        """How the feature is read."""
        return FEATURE_SCALES[self.name]

    def effect(self, name: str) -> NDArray[np.float64]:
        """Change of a class's logit less that of N, shape (points,)."""
        return np.asarray(self.logits[:, CLASSES.index(name)] - self.logits[:, 0])

    def in_middle(self) -> NDArray[np.bool_]:
        """Which points are in the middle of the distribution, shape (points,)."""
        return (self.x >= self.middle[0]) & (self.x <= self.middle[1])

    def importance(self, name: str) -> float:
        """Highest less lowest effect on a class over the middle of the distribution."""
        return float(np.ptp(self.effect(name)[self.in_middle()]))

    def curve_not_linear(self, name: str) -> float | None:
        """How far a class's curve is from a straight line over the middle, see `not_linear`."""
        rows = self.in_middle()
        return not_linear(self.x[rows], self.effect(name)[rows, None])


@dataclass(frozen=True, eq=False)
class KANFunctions:
    """What a KAN head learned.

    Attributes
    ----------
    model : str
        Full name of the bundle.
    weights_sha256 : str
    temperature : float
        What logits are divided by before they become probabilities; the curves are of logits as
        the head gives them.
    features : tuple of FeatureFunction
        In the order in which the head has them.
    reference_logits : ndarray of float64, shape (5,)
        With every feature at its mean and the embedding at 0.
    """

    model: str
    weights_sha256: str
    temperature: float
    features: tuple[FeatureFunction, ...]
    reference_logits: NDArray[np.float64]

    def ranking(self, name: str) -> list[FeatureFunction]:
        """Features by their importance for a class against N, the most important first."""
        return sorted(self.features, key=lambda one: -one.importance(name))


def kan_functions(name: str | Path) -> KANFunctions:
    """Read the functions of a bundle with a KAN head over named features.

    Parameters
    ----------
    name : str or Path
        As in `ectopy.models.bundle.find_bundle`.

    Raises
    ------
    BundleError
        If there is no such bundle, it is damaged, or it holds no such head.
    MissingExtra
        If safetensors is not installed.
    """
    bundle = find_bundle(name)
    functions, logits = head_functions(load_kan_head(bundle))
    return KANFunctions(
        model=bundle.full_name,
        weights_sha256=bundle.weights_sha256,
        temperature=bundle.temperature,
        features=functions,
        reference_logits=logits,
    )


def head_functions(head: KANHead) -> tuple[tuple[FeatureFunction, ...], NDArray[np.float64]]:
    """Move every named feature of a head, one after the other.

    Returns
    -------
    functions : tuple of FeatureFunction
    reference_logits : ndarray of float64, shape (5,)
    """
    reference = head(np.zeros((1, head.n_inputs)))[0]
    functions = tuple(_move(head, number, reference) for number in range(len(head.names)))
    return functions, reference


def _move(head: KANHead, number: int, reference: NDArray[np.float64]) -> FeatureFunction:
    name, mean, sd = head.names[number], float(head.mean[number]), float(head.sd[number])
    low, high = _within(FEATURE_SCALES[name], mean, LIMIT * sd)
    middle = _within(FEATURE_SCALES[name], mean, MIDDLE_SD * sd)
    x = np.unique(np.concatenate([np.linspace(low, high, POINTS), [mean, *middle]]))
    inputs = np.zeros((len(x), head.n_inputs))
    inputs[:, number] = head.standardised(x, number)
    z = head.standardised(np.linspace(*middle, POINTS), number)
    return FeatureFunction(
        name=name,
        mean=mean,
        sd=sd,
        x=x,
        logits=head(inputs) - reference,
        middle=middle,
        first_layer_not_linear=not_linear(z, head.layers[0].functions(z, number)),
    )


def _within(scale: FeatureScale, mean: float, reach: float) -> tuple[float, float]:
    """Range around the mean, as far as the feature can take its values."""
    low, high = max(mean - reach, scale.least), min(mean + reach, scale.most)
    return min(low, mean), max(high, mean)


def not_linear(z: NDArray[np.float64], curves: NDArray[np.float64]) -> float | None:
    """Share of curves that no straight line takes up.

    Parameters
    ----------
    z : ndarray of float64, shape (points,)
    curves : ndarray of float64, shape (points, curves)

    Returns
    -------
    float or None
        Sum of squares left over by each curve's best line, of all curves together, to that around
        their means, so that large curves count more; None where all are constant.
    """
    z, curves = z - z.mean(), curves - curves.mean(axis=0)
    total = float((curves**2).sum())
    if total < 1e-20 or not z.any():  # rounding alone
        return None
    slopes = z @ curves / (z @ z)
    return float(((curves - z[:, None] * slopes) ** 2).sum()) / total


def as_table(functions: KANFunctions) -> dict[str, Any]:
    """Everything but the curves, as plain data.

    Returns
    -------
    dict
        Model, hash of its weights, versions, settings, what is held fixed, the features with their
        means, and for each class but N the features by importance, each with its effect at both
        ends of the middle.
    """
    base = np.linspace(-MIDDLE_SD, MIDDLE_SD, POINTS)
    return {
        "model": functions.model,
        "weights_sha256": functions.weights_sha256,
        "temperature": functions.temperature,
        "code_version": code_version(),
        "numpy_version": np.__version__,
        "held_fixed": HELD_FIXED,
        "settings": {
            "against": CLASSES[0],
            "points": POINTS,
            "range_sd": LIMIT,
            "middle_sd": MIDDLE_SD,
            # So that a share can be judged: what every function has without any spline.
            "not_linear_of_base_term": not_linear(base, silu(base)[:, None]),
        },
        "reference_logits": dict(zip(CLASSES, functions.reference_logits.tolist(), strict=True)),
        "features": {
            one.name: {
                "label": one.scale.label,
                "unit": one.scale.unit,
                "mean": one.mean,
                "sd": one.sd,
                "middle": list(one.middle),
                "middle_plain": one.scale.plain(np.array(one.middle)).tolist(),
                "first_layer_not_linear": one.first_layer_not_linear,
            }
            for one in functions.features
        },
        "importance": {
            name: [_ranked(one, name) for one in functions.ranking(name)] for name in CLASSES[1:]
        },
    }


def _ranked(one: FeatureFunction, name: str) -> dict[str, Any]:
    effect = one.effect(name)[one.in_middle()]
    return {
        "feature": one.name,
        "importance": one.importance(name),
        "curve_not_linear": one.curve_not_linear(name),
        "effect_at_low": float(effect[0]),
        "effect_at_high": float(effect[-1]),
    }
