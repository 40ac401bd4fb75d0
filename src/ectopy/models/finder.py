"""The network that finds beats: dilated convolutions over levelled frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional as F

from ectopy.models.bundle import FINDER
from ectopy.models.contract import FinderContract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

STRIDE = FinderContract().stride

ANSWERS = 2
"""Steps that each place of the inner layers answers for."""


class BeatFinderNet(nn.Module):
    """Say for every step of four frames whether a beat is near, and where.

    A first convolution looks at 0.14 s and keeps one of four frames, a second halves that rate;
    residual convolutions of growing dilation then look further and further around, as in WaveNet
    (van den Oord et al., 2016), so that a wave is judged by what comes before and after it. The
    widest look back only: what a beat is like and how fast the rhythm goes can be learnt from the
    past, and a stream does not have to wait for it. Each of their places answers for two steps,
    which costs half of what layers at the rate of the answers would. All convolutions are written
    as two-dimensional ones of height 1, which ONNX Runtime computes faster.

    Parameters
    ----------
    width : int
        Channels.
    kernel : int
        Taps of each dilated convolution, odd.
    dilations : sequence of int
        Places between the taps, one entry a layer.
    past_only : int
        How many of the last layers look back only.
    first_kernel : int
        Frames that the first convolution looks at, odd.

    Attributes
    ----------
    reach : tuple of int
        Frames before and after the first frame of a step that its answer may depend on.

    Raises
    ------
    ValueError
        If a kernel is even, a number is not whole or not above 0, or more layers look back than
        there are.

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
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
        past_only: int = 1,
        first_kernel: int = 17,
    ) -> None:
        super().__init__()
        numbers = (width, kernel, first_kernel, past_only, *dilations)
        if not all(isinstance(number, int) for number in numbers):
            msg = f"width, kernel, first_kernel, past_only and dilations = {numbers} "
            raise ValueError(msg + "must all be whole numbers")
        if min(width, kernel, first_kernel, *dilations) < 1:
            msg = f"width = {width}, kernel = {kernel}, first_kernel = {first_kernel} and "
            raise ValueError(msg + f"dilations = {list(dilations)} must all be above 0")
        if kernel % 2 == 0 or first_kernel % 2 == 0:
            msg = f"kernel = {kernel} and first_kernel = {first_kernel} must be odd"
            raise ValueError(msg)
        if not 0 <= past_only <= len(dilations):
            msg = f"past_only = {past_only}; expected 0 to {len(dilations)}, the number of layers"
            raise ValueError(msg)
        reaches = [kernel // 2 * dilation for dilation in dilations]
        around = reaches[: len(reaches) - past_only]
        back = reaches[len(around) :]
        # Places before and after that each layer needs beside its own.
        self.edges = [(reach, reach) for reach in around] + [(2 * reach, 0) for reach in back]
        self.first = nn.Sequential(
            _convolution(1, width, first_kernel, stride=STRIDE, padding=first_kernel // 2),
            _convolution(width, width, 3, stride=ANSWERS, padding=1),
        )
        self.layers = nn.ModuleList(
            # Where both sides are alike the convolution pads by itself, which is quicker.
            _convolution(width, width, kernel, dilation=dilation, padding=past if future else 0)
            for dilation, (past, future) in zip(dilations, self.edges, strict=True)
        )
        self.out = nn.Conv2d(width, 2 * ANSWERS, 1)
        past, future = (sum(edge[side] for edge in self.edges) for side in (0, 1))
        # Of the two steps of a place the second looks further back, the first further ahead.
        self.reach = (
            STRIDE * ANSWERS * (past + 1) + first_kernel // 2,
            STRIDE * (ANSWERS * future + 1) + first_kernel // 2,
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Map levelled frames, shape (leads, frames), to logits and offsets.

        Returns
        -------
        Tensor, shape (leads, 2, frames / 4)
            The logit of a beat within 1.5 steps, and its distance in steps.
        """
        steps = frames.shape[1] // STRIDE
        hidden: Tensor = self.first(frames[:, None, None, :])  # (leads, width, 1, places)
        for layer, (past, future) in zip(self.layers, self.edges, strict=True):
            seen = hidden if future or not past else F.pad(hidden, (past, 0))
            hidden = hidden + layer(seen)
        out: Tensor = self.out(hidden)  # (leads, 4, 1, places)
        leads, places = out.shape[0], out.shape[3]
        out = out.reshape(leads, 2, ANSWERS, places).transpose(2, 3)
        return out.reshape(leads, 2, ANSWERS * places)[..., :steps]


def _convolution(
    n_in: int, n_out: int, kernel: int, *, stride: int = 1, dilation: int = 1, padding: int = 0
) -> nn.Sequential:
    convolution = nn.Conv2d(
        n_in,
        n_out,
        (1, kernel),
        stride=(1, stride),
        dilation=(1, dilation),
        padding=(0, padding),
        bias=False,
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())
