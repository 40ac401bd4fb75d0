"""Augmentation of windows: what electrodes, amplifiers and beat finders do to a beat.

Works on whole batches of tensors, so that it runs on the device that trains.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ectopy.signal.windows import FLAT_MV

if TYPE_CHECKING:
    from torch import Tensor

    from ectopy.training.recipe import AugmentSettings

FS = 360.0
SMOOTHING = 9  # samples of the moving average that turns white noise into muscle-like noise


def zscore(windows: Tensor) -> Tensor:
    """Bring each window to mean 0 and standard deviation 1; see `ectopy.signal.windows.zscore`."""
    centred = windows - windows.mean(dim=1, keepdim=True)
    spread = centred.square().mean(dim=1, keepdim=True).sqrt()
    return torch.where(spread > FLAT_MV, centred / spread.clamp_min(FLAT_MV), 0.0)


def crop(windows: Tensor, margin: int) -> Tensor:
    """Take the model's window out of a wider one: (beats, n + 2 * margin) to (beats, n)."""
    return windows[:, margin : windows.shape[1] - margin] if margin else windows


def augment(windows: Tensor, margin: int, settings: AugmentSettings) -> Tensor:
    """Change a batch of windows at random.

    Parameters
    ----------
    windows : Tensor of float32, shape (beats, samples + 2 * margin)
        Windows in mV with spare samples on both sides.
    margin : int
        Spare samples on each side.
    settings : AugmentSettings

    Returns
    -------
    Tensor of float32, shape (beats, samples)
        Z-scored windows.
    """
    cut = _move(windows, margin, settings) if margin else windows
    z = zscore(cut)
    n, length = z.shape
    time = torch.linspace(-0.5, 0.5, length, device=z.device)
    seconds = torch.arange(length, device=z.device) / FS
    z = z * (1 + _chosen(n, settings.tilt, settings, z) * time * _sign(n, z))
    z = z + _noise(z, settings)
    wander_hz = 0.05 + 0.75 * torch.rand(n, 1, device=z.device)
    z = z + _sine(n, settings.wander, wander_hz, seconds, settings, z)
    mains_hz = torch.where(torch.rand(n, 1, device=z.device) < 0.5, 50.0, 60.0)
    z = z + _sine(n, settings.mains, mains_hz, seconds, settings, z)
    return zscore(z)


def _chosen(n: int, largest: float, settings: AugmentSettings, like: Tensor) -> Tensor:
    """Strength of one change for each window, shape (n, 1): 0 for those that are left alone."""
    strength = torch.rand(n, 1, device=like.device) * largest
    return strength * (torch.rand(n, 1, device=like.device) < settings.probability)


def _sign(n: int, like: Tensor) -> Tensor:
    return torch.randint(0, 2, (n, 1), device=like.device) * 2.0 - 1.0


def _move(windows: Tensor, margin: int, settings: AugmentSettings) -> Tensor:
    """Shift and stretch in time about the peak, by linear interpolation."""
    n, total = windows.shape
    length = total - 2 * margin
    touched = torch.rand(n, 1, device=windows.device) < settings.probability
    shift = (torch.randn(n, 1, device=windows.device) * settings.shift).round() * touched
    stretch = 1 + _chosen(n, settings.stretch, settings, windows) * _sign(n, windows)
    offset = torch.arange(length, device=windows.device) - length / 2
    position = (offset * stretch + length / 2 + margin + shift).clamp(0, total - 1.001)
    left = position.floor().long()
    part = position - left
    return torch.lerp(windows.gather(1, left), windows.gather(1, left + 1), part)


def _noise(z: Tensor, settings: AugmentSettings) -> Tensor:
    """White noise for half of the chosen windows, smoothed noise for the others."""
    white = torch.randn_like(z)
    smooth = F.avg_pool1d(white, SMOOTHING, stride=1, padding=SMOOTHING // 2)
    smooth = smooth * math.sqrt(SMOOTHING)
    kind = torch.rand(len(z), 1, device=z.device) < 0.5
    return torch.where(kind, white, smooth) * _chosen(len(z), settings.noise, settings, z)


def _sine(
    n: int, largest: float, hz: Tensor, seconds: Tensor, settings: AugmentSettings, like: Tensor
) -> Tensor:
    phase = 2 * math.pi * torch.rand(n, 1, device=like.device)
    wave = torch.sin(2 * math.pi * hz * seconds + phase)
    return wave * _chosen(n, largest, settings, like)
