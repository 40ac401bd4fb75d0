"""The network that finds beats: what it looks at, and that where it looks does not matter."""

from __future__ import annotations

import pytest
import torch

from ectopy.inference.finder import NETWORK_REACH_S
from ectopy.models.contract import FinderContract
from ectopy.models.finder import STRIDE, BeatFinderNet
from ectopy.signal.frames import FRAME_HZ

FIRST_KERNEL = 17


def net(**settings) -> BeatFinderNet:
    torch.manual_seed(2)
    made = BeatFinderNet(**settings)
    with torch.no_grad():
        for _ in range(10):  # fills the running averages of batch normalisation
            made(torch.randn(8, 400))
    return made.eval()


def frames(leads: int, n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(leads, n, generator=torch.Generator().manual_seed(seed))


def seen(model: BeatFinderNet, n: int, step: int) -> list[int]:
    """First and last frame that one step of the output depends on."""
    x = torch.rand(1, n).requires_grad_()
    model(x)[0, :, step].sum().backward()
    places = torch.nonzero(x.grad[0]).flatten()
    return places[[0, -1]].tolist()


def all_open(**settings) -> BeatFinderNet:
    """Weights above 0, so that nothing is lost at a rectifier."""
    made = BeatFinderNet(**settings).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.abs_().clamp_min_(1e-2)
    return made


@pytest.mark.parametrize(("leads", "n"), [(1, 480), (3, 4), (2, 1204), (5, 8)])
def test_shape(leads, n):
    assert net()(frames(leads, n)).shape == (leads, 2, n // STRIDE)


def test_stride_is_that_of_the_contract():
    assert FinderContract().stride == STRIDE == 4


def test_it_is_small():
    n = sum(parameter.numel() for parameter in BeatFinderNet().parameters())
    assert 15_000 < n <= 25_000


@pytest.mark.parametrize(
    ("settings", "reach"),
    [
        ({"width": 4}, 64),
        ({"width": 4, "dilations": [1]}, 1),
        ({"width": 4, "dilations": [1, 3, 9]}, 13),
        ({"width": 4, "dilations": [2, 5], "kernel": 5}, 14),
        ({"width": 4, "dilations": [2, 5], "kernel": 1}, 0),
    ],
)
def test_receptive_field(settings, reach):
    model = all_open(**settings)
    assert model.reach == reach
    step, half = 75, FIRST_KERNEL // 2
    assert seen(model, 600, step) == [
        STRIDE * (step - reach) - half,
        STRIDE * (step + reach) + half,
    ]


def test_another_first_kernel():
    assert seen(all_open(width=4, dilations=[1], first_kernel=5), 600, 75) == [294, 306]


def test_inference_gives_it_all_that_it_looks_at():
    assert STRIDE * BeatFinderNet().reach + FIRST_KERNEL // 2 <= NETWORK_REACH_S * FRAME_HZ


@pytest.mark.parametrize("shift", [STRIDE, 25 * STRIDE])
def test_a_shift_of_whole_steps_shifts_the_output(shift):
    model = net()
    x = frames(2, 1200)
    inside = slice(model.reach + 3, -model.reach - 3)
    with torch.inference_mode():
        whole, shifted = model(x)[:, :, shift // STRIDE :], model(x[:, shift:])
    assert whole[..., inside].shape[-1] > 100
    assert whole.std() > 0.01
    torch.testing.assert_close(shifted[..., inside], whole[..., inside], atol=1e-5, rtol=1e-5)


def test_what_lies_beyond_its_reach_changes_nothing():
    model = net()
    x = frames(1, 1200)
    edge = 150
    changed = x.clone()
    changed[:, STRIDE * (edge + model.reach) + FIRST_KERNEL // 2 + 1 :] = 100.0
    with torch.inference_mode():
        before, after = model(x), model(changed)
    torch.testing.assert_close(after[..., : edge + 1], before[..., : edge + 1])
    assert not torch.allclose(after[..., edge + 1 :], before[..., edge + 1 :], atol=1e-2)


def test_the_order_of_axes_in_memory_changes_nothing():
    model = net()
    x = frames(3, 600)
    with torch.inference_mode():
        plain = model(x)
        other = model.to(memory_format=torch.channels_last)(x)
    torch.testing.assert_close(other, plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [{"kernel": 2}, {"first_kernel": 16}])
def test_kernels_are_odd(settings):
    kernels = {"kernel": 3, "first_kernel": 17} | settings
    with pytest.raises(ValueError, match=r"must be odd$") as caught:
        BeatFinderNet(**settings)
    assert str(caught.value) == (
        f"kernel = {kernels['kernel']} and first_kernel = {kernels['first_kernel']} must be odd"
    )


@pytest.mark.parametrize(
    "settings", [{"width": 0}, {"kernel": -1}, {"first_kernel": -3}, {"dilations": [1, 0]}]
)
def test_numbers_are_above_0(settings):
    shown = {"width": 32, "kernel": 3, "first_kernel": 17, "dilations": [1, 2, 4, 8, 16, 32, 1]}
    shown |= settings
    with pytest.raises(ValueError, match=r"must all be above 0$") as caught:
        BeatFinderNet(**settings)
    assert str(caught.value) == (
        f"width = {shown['width']}, kernel = {shown['kernel']}, "
        f"first_kernel = {shown['first_kernel']} and dilations = {shown['dilations']} "
        "must all be above 0"
    )
