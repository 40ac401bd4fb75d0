"""The KAN head of a rhythm model in NumPy, so that its functions can be read without PyTorch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ectopy.beats import CLASSES
from ectopy.errors import BundleError, MissingExtra
from ectopy.evaluation.feature_scales import FEATURE_SCALES
from ectopy.models.bundle import WEIGHTS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ectopy.models.bundle import Bundle

EPSILON = 1e-5
"""What LayerNorm and BatchNorm add to a variance, in PyTorch unless told otherwise."""

LIMIT = 4.0
"""Standard deviations at which a named feature stops, as in `ectopy.models.rhythm`."""


def silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the base term of every function, ``x / (1 + exp(-x))``, any shape."""
    return np.asarray(x * expit(x))


def cubic_basis(x: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic B-spline basis on a uniform grid, in closed form as in `ectopy.models.kan`.

    Parameters
    ----------
    x : ndarray of float64, shape (beats, inputs)
    knots : ndarray of float64, shape (inputs, functions + 4)

    Returns
    -------
    ndarray of float64, shape (beats, inputs, functions)
    """
    step = knots[:, 1:2] - knots[:, 0:1]
    distance = np.abs((x[..., None] - knots[:, 2:-2]) / step)
    inner, outer = np.maximum(1 - distance, 0), np.maximum(2 - distance, 0)
    return np.asarray((outer**3 - 4 * inner**3) / 6)


@dataclass(frozen=True, eq=False)
class NumpyKANLayer:
    """One layer of learned functions.

    Attributes
    ----------
    grid : ndarray of float64, shape (inputs, functions + 4)
        Knots.
    base : ndarray of float64, shape (outputs, inputs)
        Weights of the base terms.
    spline : ndarray of float64, shape (outputs, inputs, functions)
        Coefficients of the splines.
    norm : tuple of ndarray of float64, shape (inputs,), optional
        Weight and bias of the LayerNorm that comes first; none where the functions are of the
        inputs themselves.
    """

    grid: NDArray[np.float64]
    base: NDArray[np.float64]
    spline: NDArray[np.float64]
    norm: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (beats, inputs) to (beats, outputs)."""
        if self.norm is not None:
            weight, bias = self.norm
            centred = x - x.mean(axis=1, keepdims=True)
            x = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
            x = x * weight + bias
        basis = cubic_basis(x, self.grid).reshape(len(x), -1)
        splines = basis @ self.spline.reshape(len(self.spline), -1).T
        return np.asarray(silu(x) @ self.base.T + splines)

    def functions(self, z: NDArray[np.float64], number: int) -> NDArray[np.float64]:
        """Values of the functions of one input, shape (points, outputs), at `z`, (points,)."""
        basis = cubic_basis(z[:, None], self.grid[number : number + 1])[:, 0]
        curves = silu(z)[:, None] * self.base[:, number] + basis @ self.spline[:, number].T
        return np.asarray(curves)


@dataclass(frozen=True, eq=False)
class KANHead:
    """From named features and an embedding to logits.

    Attributes
    ----------
    names : tuple of str
        Named features, the first inputs of the first layer; those after them are the embedding.
    mean, sd : ndarray of float64, shape (named,)
        Of each named feature in training, as the model's BatchNorm keeps them.
    layers : tuple of NumpyKANLayer
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    layers: tuple[NumpyKANLayer, ...]

    @property
    def n_inputs(self) -> int:
        """Named features and embedding together."""
        return len(self.layers[0].grid)

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map standardised features with the embedding, (beats, n_inputs), to logits, (beats, 5).

        Named features are expected within `LIMIT`.
        """
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def standardised(self, x: NDArray[np.float64], number: int) -> NDArray[np.float64]:
        """Values of one named feature as the first layer gets them, any shape."""
        return np.asarray(((x - self.mean[number]) / self.sd[number]).clip(-LIMIT, LIMIT))


def load_kan_head(bundle: Bundle) -> KANHead:
    """Read the head of a bundle from its weights.

    Parameters
    ----------
    bundle : Bundle
        Of a rhythm model with a KAN head.

    Raises
    ------
    BundleError
        If it holds no KAN head over named features, or its weights are damaged.
    MissingExtra
        If safetensors is not installed.
    """
    if bundle.finds:
        raise _not_readable(bundle, "finds beats and does not class them")
    if not bundle.contract.reads_rhythm:
        raise _not_readable(bundle, "has a head whose inputs have no names")
    weights = _read(bundle)
    numbers = sorted(
        int(found[1]) for name in weights if (found := re.fullmatch(r"head\.(\d+)\.grid", name))
    )
    if not numbers:
        raise _not_readable(bundle, "has a head that is no KAN")
    try:
        head = KANHead(
            names=tuple(FEATURE_SCALES),
            mean=weights["scale.running_mean"],
            sd=np.sqrt(weights["scale.running_var"] + EPSILON),
            layers=tuple(_layer(weights, f"head.{number}") for number in numbers),
        )
    except KeyError as error:
        raise _damaged(bundle, f"there is no {error.args[0]!r}") from error
    _check(bundle, head)
    return head


def _read(bundle: Bundle) -> dict[str, NDArray[np.float64]]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ModuleNotFoundError as error:
        msg = f"reading weights needs {error.name}; install it with: pip install 'ectopy[train]'"
        raise MissingExtra(msg) from error
    try:
        weights = load_file(bundle.folder / WEIGHTS_FILE)
    except (SafetensorError, OSError) as error:
        raise _damaged(bundle, " ".join(str(error).split())[:200]) from error
    return {name: np.asarray(value, dtype=np.float64) for name, value in weights.items()}


def _layer(weights: Mapping[str, NDArray[np.float64]], name: str) -> NumpyKANLayer:
    norm = None
    if f"{name}.layer_norm.weight" in weights:
        norm = weights[f"{name}.layer_norm.weight"], weights[f"{name}.layer_norm.bias"]
    return NumpyKANLayer(
        weights[f"{name}.grid"],
        weights[f"{name}.base_weight"],
        weights[f"{name}.spline_weight"],
        norm,
    )


def _check(bundle: Bundle, head: KANHead) -> None:
    """Refuse what does not fit together, or what has no values to draw."""
    named = len(head.names)
    if len(head.mean) != named:
        msg = f"{bundle.full_name} has {len(head.mean)} named features, this version of ectopy "
        raise BundleError(f"{msg}{named}; train it again, or use the version that wrote it")
    if head.layers[0].norm is not None:
        raise _not_readable(bundle, "has a head whose first functions are of mixed inputs")
    n_in = head.n_inputs
    if head.mean.ndim != 1 or head.sd.shape != head.mean.shape or n_in < named:
        raise _damaged(bundle, f"its head does not read {named} named features")
    for layer in head.layers:
        n_out, functions = len(layer.base), layer.grid.shape[-1] - 4
        fits = layer.grid.shape[:-1] == (n_in,) and layer.base.shape == (n_out, n_in)
        fits &= layer.spline.shape == (n_out, n_in, functions)
        if not fits or any(part.shape != (n_in,) for part in layer.norm or ()):
            raise _damaged(bundle, "the layers of its head do not fit together")
        n_in = n_out
    if n_in != len(CLASSES):
        raise _damaged(bundle, f"its head has {n_in} outputs, not one for each of {CLASSES}")
    arrays = [head.mean, head.sd]
    for layer in head.layers:
        arrays += [layer.grid, layer.base, layer.spline, *(layer.norm or ())]
    if not all(np.isfinite(array).all() for array in arrays):
        raise _damaged(bundle, "they hold values that are no numbers")


def _not_readable(bundle: Bundle, reason: str) -> BundleError:
    return BundleError(
        f"{bundle.full_name} {reason}, so that there are no functions to read; give a rhythm-kan "
        "or the folder of one that was trained"
    )


def _damaged(bundle: Bundle, reason: str) -> BundleError:
    msg = f"weights of bundle {str(bundle.folder)!r} do not load: {reason}; fetch them again"
    return BundleError(msg)
