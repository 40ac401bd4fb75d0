"""Likeness features: how a beat's shape compares with the typical beats of its recording.

The last two are of the beat alone: paced beats are like their patient's typical ones, and what
gives them away is that they are broad and without a P wave, which nothing relative can say.

They are part of the network, so that its ONNX graph takes signal in and nothing has to be kept in
step beside it. Every one has a name and can be read by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ectopy.signal.typical import MOST_CORRELATION

REGIONS = {"qrs": (33, 58), "p": (13, 35), "t": (60, 81)}
"""Steps of 1/120 s of the window, whose beat is at step 42.7: -81 to 127 ms, -247 to -64 ms, 144 to
319 ms from the peak."""

LAGS = {"qrs": (-2, -1, 0, 1, 2), "p": (-2, 0, 2), "t": (-2, 0, 2)}
"""Steps by which a region may lie elsewhere: a peak is not always put at the same place."""

FLOORS = {"qrs": 0.02, "p": 0.01, "t": 0.01}
"""Shares of the QRS complex's height below which a difference is no difference."""

SMOOTHING = (5, 3, 2)
"""Samples of the running mean, of a step, and before the first: little is left above 40 Hz."""

_AGAINST = ("overall", "local")

LIKENESS_FEATURES: dict[str, str] = {
    **{
        f"{region}_{kind}_{typical}": f"{text}, {region.upper()} region, {typical} typical beat"
        for typical in _AGAINST
        for region in REGIONS
        for kind, text in (
            ("likeness", "inverse hyperbolic tangent of the correlation"),
            ("difference", "log of the root mean square difference to the QRS complex's height"),
        )
    },
    "qrs_height_overall": "log of the height of the QRS region to the typical one's, overall",
    "qrs_height_local": "log of the height of the QRS region to the typical one's, local",
    "qrs_area_overall": "log of the mean deflection of the QRS region to the typical one's",
    "qrs_slope_overall": "log of the steepest slope of the QRS region to the typical one's",
    "p_size_overall": "log of the size of the P region to the typical one's",
    "qrs_likeness_best": "the higher of the two likenesses in the QRS region",
    "p_likeness_best": "the higher of the two likenesses in the P region",
    "qrs_width": "log of the beat's own QRS width: SD in time of its squared deflection, in 10 ms",
    "p_size": "log of the size of the beat's own P region to the height of its QRS region",
}
"""Names of the features in their order, and what each is."""


class Likeness(nn.Module):
    """Compare each beat with two typical beats, without anything learned.

    Maps windows in mV, shape (beats, 3, 256) at 360 Hz - the beat, the overall and the local
    typical beat - to (beats, features) in the order of `LIKENESS_FEATURES`.
    """

    def forward(self, shapes: Tensor) -> Tensor:
        """Compute the features."""
        slow = F.avg_pool1d(shapes, *SMOOTHING)  # 120 steps a second
        beat, typical = slow[:, :1], slow[:, 1:]
        begin, end = REGIONS["qrs"]
        qrs, qrs_typical = beat[..., begin:end], typical[..., begin:end]
        height = _height(qrs_typical) + 1e-3
        compared: list[Tensor] = []
        best: dict[str, Tensor] = {}
        sizes = {}
        for region in REGIONS:
            likeness, difference, sizes[region] = _compare(beat, typical, region)
            compared += [likeness, torch.log(difference / height + FLOORS[region])]
            best[region] = likeness.amax(dim=1, keepdim=True)
        heights = torch.log(_height(qrs) / height + 0.05)
        first = qrs_typical[:, :1]
        area = _ratio(_mean_deflection(qrs), _mean_deflection(first))
        slope = _ratio(_steepest(qrs), _steepest(first))
        p_beat, p_typical = sizes["p"]
        size = torch.log((p_beat + 1e-3) / (p_typical + 1e-2) + 0.05)
        return torch.cat(
            [
                *(one[:, :1] for one in compared),
                *(one[:, 1:] for one in compared),
                heights,
                area,
                slope,
                size,
                best["qrs"],
                best["p"],
                torch.log(qrs_width(qrs) + 0.5),
                torch.log(p_beat / (_height(qrs) + 1e-3) + 0.003),
            ],
            dim=1,
        )


def _compare(
    beat: Tensor, typical: Tensor, region: str
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Likeness and difference to both typical beats, and the sizes beside the overall one.

    Returns
    -------
    likeness, difference : Tensor, shape (beats, 2)
    sizes : tuple of Tensor, shape (beats, 1)
        Root mean square of the region in the beat, where it is, and in the overall typical beat.
    """
    begin, end = REGIONS[region]
    moved = torch.stack([beat[..., begin + lag : end + lag] for lag in LAGS[region]], dim=-2)
    moved = without_level(moved, region)  # (beats, 1, lags, steps)
    still = without_level(typical[..., begin:end], region).unsqueeze(-2)  # (beats, 2, 1, steps)
    power, power_typical = (moved * moved).sum(-1), (still * still).sum(-1)
    product = (moved * still).sum(-1)
    correlation = (product / torch.sqrt(power * power_typical + 1e-6)).amax(-1)
    likeness = torch.atanh(correlation.clamp(-MOST_CORRELATION, MOST_CORRELATION))
    square = ((power + power_typical - 2 * product) / (end - begin)).clamp_min(0).amin(-1)
    middle = len(LAGS[region]) // 2
    sizes = (
        torch.sqrt(power[:, :, middle] / (end - begin) + 1e-9),
        torch.sqrt(power_typical[:, :1, 0] / (end - begin) + 1e-9),
    )
    return likeness, torch.sqrt(square + 1e-9), sizes


def _height(x: Tensor) -> Tensor:
    return x.amax(-1) - x.amin(-1)


def qrs_width(x: Tensor) -> Tensor:
    """Spread of the squared deflection from the mean in time, in 10 ms; over the last axis."""
    power = _without_mean(x).square()
    time = torch.arange(x.shape[-1], dtype=x.dtype, device=x.device) / 1.2
    # Not "+ 1e-9": a sum with so little is taken for nothing when the graph is exported.
    total = power.sum(-1).clamp_min(1e-6)
    centre = (power * time).sum(-1) / total
    spread = (power * (time - centre.unsqueeze(-1)).square()).sum(-1) / total
    return torch.sqrt(spread + 1e-9)


def _mean_deflection(x: Tensor) -> Tensor:
    return _without_mean(x).abs().mean(-1)


def _steepest(x: Tensor) -> Tensor:
    return x.diff(dim=-1).abs().amax(-1)


def _ratio(beat: Tensor, typical: Tensor) -> Tensor:
    return torch.log((beat + 1e-3) / (typical + 1e-3) + 0.05)


def without_level(x: Tensor, region: str) -> Tensor:
    """Take off a region what it lies on: of the QRS complex its mean, elsewhere a line."""
    return _without_mean(x) if region == "qrs" else _without_line(x)


def _without_mean(x: Tensor) -> Tensor:
    return x - x.mean(-1, keepdim=True)


def _without_line(x: Tensor) -> Tensor:
    """Take the straight line of least squares off: wander, and the end of the T wave before."""
    line = torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device)
    line = line / line.norm()
    x = _without_mean(x)
    out: Tensor = x - (x * line).sum(-1, keepdim=True) * line
    return out
