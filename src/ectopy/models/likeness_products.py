"""The likeness features as they are exported: the same numbers in a third of the operations.

`ectopy.models.likeness` says what each feature is. All that it does before it squares or compares
is linear - averaging, cutting regions out at several lags, taking means and lines off - so that it
is two matrix products, whose matrices are made here by that very code. Regions and lags are filled
up to the longest, with nothing and with repetitions, so that all are worked on at once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ectopy.models.likeness import (
    FLOORS,
    LAGS,
    LIKENESS_FEATURES,
    REGIONS,
    SMOOTHING,
    qrs_width,
    without_level,
)
from ectopy.signal.typical import MOST_CORRELATION

LENGTH = 256
N_LAGS = max(len(lags) for lags in LAGS.values())
N_STEPS = max(end - begin for begin, end in REGIONS.values())
STILL = N_LAGS // 2
"""Which of the lags of a region, filled up, is none."""


class LikenessProducts(nn.Module):
    """A `Likeness`, for export; maps (beats, 3, 256) to (beats, features) as that does."""

    slow: Tensor
    moves: Tensor
    stays: Tensor
    steps: Tensor
    floors: Tensor
    order: Tensor

    def __init__(self) -> None:
        super().__init__()
        slow = F.avg_pool1d(torch.eye(LENGTH, dtype=torch.float64)[:, None], *SMOOTHING)[:, 0]
        eye = torch.eye(slow.shape[1], dtype=torch.float64)
        moves = torch.stack(
            [torch.stack([_cut(eye, r, lag) for lag in _filled_up(r)], 1) for r in REGIONS], 1
        )
        stays = torch.stack([_cut(eye, region, 0) for region in REGIONS], 1)
        used = moves.flatten(1).abs().sum(1) > 0  # steps before and after all regions are not
        slow, moves, stays = slow[:, used], moves[used], stays[used]
        lengths = [[float(end - begin)] for begin, end in REGIONS.values()]
        for name, values in (
            ("slow", slow),
            ("moves", moves.flatten(1)),  # (slow steps, regions * lags * steps)
            ("stays", stays.flatten(1)),  # (slow steps, regions * steps)
            ("steps", torch.tensor(lengths)),
            ("floors", torch.tensor([FLOORS[region] for region in REGIONS])),
        ):
            self.register_buffer(name, values.float())
        places = {name: place for place, name in enumerate(_MADE)}
        self.register_buffer("order", torch.tensor([places[name] for name in LIKENESS_FEATURES]))

    def forward(self, shapes: Tensor) -> Tensor:
        """Compute the features."""
        n_regions = len(REGIONS)
        slow = shapes @ self.slow
        moved = (slow[:, 0] @ self.moves).reshape(-1, 1, n_regions, N_LAGS, N_STEPS)
        still = (slow[:, 1:] @ self.stays).reshape(-1, 2, n_regions, 1, N_STEPS)
        power, typical_power = (moved * moved).sum(-1), (still * still).sum(-1)
        product = (moved * still).sum(-1)  # (beats, 2, regions, lags)
        correlation = (product / torch.sqrt(power * typical_power + 1e-6)).amax(-1)
        likeness = torch.atanh(correlation.clamp(-MOST_CORRELATION, MOST_CORRELATION))
        square = (power + typical_power - 2 * product) / self.steps
        difference = torch.sqrt(square.clamp_min(0).amin(-1) + 1e-9)
        qrs = torch.cat([moved[:, :, 0, STILL], still[:, :, 0, 0]], dim=1)  # (beats, 3, steps)
        height = qrs.amax(-1) - qrs.amin(-1)
        typical_height = height[:, 1:] + 1e-3
        sizes = torch.cat([power[:, :, :, STILL], typical_power[:, :1, :, 0]], dim=1)
        p_sizes = torch.sqrt(sizes[:, :, 1] / self.steps[1] + 1e-9)
        steepness = torch.stack([qrs.abs().mean(-1), qrs.diff(dim=-1).abs().amax(-1)], -1) + 1e-3
        to_log = [
            (difference / typical_height[..., None] + self.floors).flatten(1),
            height[:, :1] / typical_height + 0.05,
            steepness[:, 0] / steepness[:, 1] + 0.05,
            (p_sizes[:, :1] + 1e-3) / (p_sizes[:, 1:] + 1e-2) + 0.05,
            qrs_width(qrs[:, :1]) + 0.5,
            p_sizes[:, :1] / (height[:, :1] + 1e-3) + 0.003,
        ]
        made = [torch.log(torch.cat(to_log, dim=1)), likeness.flatten(1), likeness.amax(1)]
        return torch.cat(made, dim=1)[:, self.order]


def _filled_up(region: str) -> tuple[int, ...]:
    """Lags of a region around 0, the same number for all."""
    lags = LAGS[region]
    lacking = N_LAGS - len(lags)
    return (0,) * (lacking // 2) + lags + (0,) * (lacking - lacking // 2)


def _cut(slow: Tensor, region: str, lag: int) -> Tensor:
    """Cut a region out of rows of slow steps, less its level, filled up with zeros."""
    begin, end = REGIONS[region]
    cut = without_level(slow[:, begin + lag : end + lag], region)
    return F.pad(cut, (0, N_STEPS - (end - begin)))


_PAIRS = [(typical, region) for typical in ("overall", "local") for region in REGIONS]
_MADE = (
    *(f"{region}_difference_{typical}" for typical, region in _PAIRS),
    "qrs_height_overall",
    "qrs_height_local",
    "qrs_area_overall",
    "qrs_slope_overall",
    "p_size_overall",
    "qrs_width",
    "p_size",
    *(f"{region}_likeness_{typical}" for typical, region in _PAIRS),
    *(f"{region}_likeness_best" for region in REGIONS),
)
"""Names of what `LikenessProducts` makes, before it is put in order; the T wave's best is left
out."""
