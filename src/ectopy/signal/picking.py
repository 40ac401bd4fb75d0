"""From the beat finder's curve to beats: peaks of the curve, at most one in 200 ms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ectopy.signal.frames import Rate

REACH = 1
"""Steps on either side of a beat's own that the network is taught to mark too."""

# Where a beat is sure but its exact place is not, the marks are spread over more steps: the peak is
# sought where they have been smoothed twice, and the confidence is the sum of seven.
_SPREAD = 3

# Far below any threshold worth having: what is lower is not even a candidate.
_LEAST = 0.05


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be beats.

    Attributes
    ----------
    positions : ndarray of float64, shape (candidates,)
        Places in samples, ascending, with fractions.
    confidences : ndarray of float32, shape (candidates,)
        From 0 to 1.
    """

    positions: NDArray[np.float64]
    confidences: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: NDArray[np.bool_]) -> Candidates:
        """Only those of these rows."""
        return Candidates(self.positions[rows], self.confidences[rows])

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """One after the other."""
        return cls(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.confidences for part in parts]),
        )


def pick(outputs: NDArray[np.float32], rate: Rate, stride: int) -> Candidates:
    """Find the peaks of the finder's curve.

    The network says for each step of `stride` frames how likely a beat lies within one step of it,
    and how many steps away. Candidates are the peaks of the curve after two running means over
    three steps, their places the mean of what three steps say. The confidence is the sum of seven
    steps, of which three should be marked, divided by three.

    Parameters
    ----------
    outputs : ndarray of float32, shape (2, steps)
        Logits, and offsets in steps.
    rate : Rate
        How frames and samples count against each other.
    stride : int
        Frames of a step.

    Returns
    -------
    Candidates
        Places counted in samples from the first frame.
    """
    with np.errstate(over="ignore"):  # of very low logits: the share is 0
        marked = 1 / (1 + np.exp(-outputs[0]))
    width = 2 * REACH + 1
    near = _sum_around(_sum_around(marked, REACH), REACH) / width**2
    left, middle, right = near[:-2], near[1:-1], near[2:]
    steps = np.flatnonzero((middle >= left) & (middle > right) & (middle > _LEAST)) + 1
    confidences = (_sum_around(marked, _SPREAD)[steps] / width).clip(max=1)
    around = steps[:, None] + np.arange(-REACH, REACH + 1)
    weights = marked[around].astype(np.float64)
    places = around + outputs[1][around]
    positions = (places * weights).sum(axis=1) / weights.sum(axis=1)
    order = np.argsort(positions, kind="stable")
    return Candidates(
        positions[order] * stride * rate.down / rate.up,
        confidences[order].astype(np.float32),
    )


def _sum_around(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Sum of each value and its neighbours up to `reach` away."""
    padded = np.pad(values, reach)
    n = len(values)
    parts = [padded[i : i + n] for i in range(2 * reach + 1)]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float32)


def select(candidates: Candidates, threshold: float, min_gap: float) -> Candidates:
    """Keep the candidates that reach the threshold and have no stronger one beside them.

    Parameters
    ----------
    candidates : Candidates
    threshold : float
        Least confidence.
    min_gap : float
        Of candidates closer than this, in samples, only the strongest stays; of equals the first.

    Returns
    -------
    Candidates

    Examples
    --------
    >>> found = Candidates(np.array([10.0, 30.0, 100.0]), np.float32([0.6, 0.9, 0.2]))
    >>> select(found, 0.5, 50).positions.tolist()
    [30.0]
    """
    return candidates.take(strongest(candidates, threshold, min_gap))


def strongest(candidates: Candidates, threshold: float, min_gap: float) -> NDArray[np.bool_]:
    """Say of each candidate whether `select` keeps it."""
    reached = candidates.confidences >= threshold
    high = candidates.take(reached)
    alive = np.ones(len(high), dtype=np.bool_)
    for distance in range(1, len(high)):
        near = high.positions[distance:] - high.positions[:-distance] < min_gap
        if not near.any():
            break
        earlier, later = high.confidences[:-distance], high.confidences[distance:]
        alive[distance:] &= ~(near & (later <= earlier))
        alive[:-distance] &= ~(near & (later > earlier))
    reached[reached] = alive
    return reached
