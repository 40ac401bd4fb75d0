"""The network that finds beats: dilated convolutions over levelled frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ectopy.models.bundle import FINDER
from ectopy.models.contract import FinderContract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

STRIDE = FinderContract().stride


class BeatFinderNet(nn.Module):
    """Say for every step of four frames whether a beat is near, and where.

    A first convolution looks at 0.14 s and keeps one of four frames; residual convolutions of
    growing dilation then look further and further around, as in WaveNet (van den Oord et al.,
    2016), so that a wave is judged by what comes before and after it. All convolutions are written
    as two-dimensional ones of height 1, which ONNX Runtime computes faster.

    Parameters
    ----------
    width : int
        Channels.
    kernel : int
        Taps of each dilated convolution, odd.
    dilations : sequence of int
        Steps between the taps, one entry a layer.
    first_kernel : int
        Frames that the first convolution looks at, odd.

    Raises
    ------
    ValueError
        If a kernel is even, or a number is not above 0.

    Examples
    --------
    >>> BeatFinderNet()(torch.zeros(1, 480)).shape
    torch.Size([1, 2, 120])
    """

    name = FINDER

    def __init__(
        self,
        *,
        width: int = 32,
        kernel: int = 3,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 1),
        first_kernel: int = 17,
    ) -> None:
        super().__init__()
        if min(width, kernel, first_kernel, *dilations) < 1:
            msg = f"width = {width}, kernel = {kernel}, first_kernel = {first_kernel} and "
            raise ValueError(msg + f"dilations = {list(dilations)} must all be above 0")
        if kernel % 2 == 0 or first_kernel % 2 == 0:
            msg = f"kernel = {kernel} and first_kernel = {first_kernel} must be odd"
            raise ValueError(msg)
        self.reach = kernel // 2 * sum(dilations)
        self.first = nn.Sequential(
            nn.Conv2d(
                1,
                width,
                (1, first_kernel),
                stride=(1, STRIDE),
                padding=(0, first_kernel // 2),
                bias=False,
            ),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    width,
                    width,
                    (1, kernel),
                    dilation=(1, dilation),
                    padding=(0, kernel // 2 * dilation),
                    bias=False,
                ),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            )
            for dilation in dilations
        )
        self.out = nn.Conv2d(width, 2, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map levelled frames, shape (leads, frames), to logits and offsets.

        Returns
        -------
        Tensor, shape (leads, 2, frames / 4)
            The logit of a beat within 1.5 steps, and its distance in steps.
        """
        hidden: Tensor = self.first(frames[:, None, None, :])  # (leads, width, 1, steps)
        for layer in self.layers:
            hidden = hidden + layer(hidden)
        out: Tensor = self.out(hidden).squeeze(2)
        return out
