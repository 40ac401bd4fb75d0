"""The network that finds beats: what it looks at, and that where it looks does not matter."""

from __future__ import annotations

import pytest
import torch

from ectopy.inference.finder import NETWORK_REACH_S, REACH_FUTURE_S, REACH_PAST_S
from ectopy.models.contract import MOST_FUTURE, MOST_PAST, FinderContract
from ectopy.models.finder import ANSWERS, STRIDE, BeatFinderNet
from ectopy.signal.frames import FRAME_HZ

FIRST_KERNEL = 17
PLACE = STRIDE * ANSWERS


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
    ("settings", "past", "future"),
    [
        ({"width": 4}, 31 + 2 * 32, 31),
        ({"width": 4, "past_only": 0}, 63, 63),
        ({"width": 4, "dilations": [1], "past_only": 0}, 1, 1),
        ({"width": 4, "dilations": [1, 3, 9], "past_only": 2}, 1 + 2 * 12, 1),
        ({"width": 4, "dilations": [2, 5], "kernel": 5, "past_only": 1}, 4 + 20, 4),
        ({"width": 4, "dilations": [2, 5], "kernel": 1}, 0, 0),
    ],
)
def test_receptive_field(settings, past, future):
    """`past` and `future` count places of two steps before and after a step's own."""
    model = all_open(**settings)
    half = FIRST_KERNEL // 2
    # The second convolution looks one step to either side of a place's first step.
    first, last = STRIDE * (2 * past + 1), STRIDE * (2 * future + 1)
    assert seen(model, 2400, 300) == [1200 - first - half, 1200 + last + half]
    # The second step of a place sees what the first sees.
    assert seen(model, 2400, 301) == [1200 - first - half, 1200 + last + half]
    assert model.reach == (first + STRIDE + half, last + half)


def test_another_first_kernel():
    settings = {"width": 4, "dilations": [1], "past_only": 0, "first_kernel": 5}
    assert seen(all_open(**settings), 600, 76) == [304 - 14, 304 + 14]


def test_inference_gives_it_all_that_it_looks_at():
    assert BeatFinderNet().reach == (FinderContract().past, FinderContract().future)
    # What a contract may ask for, with the three steps around that a confidence sums.
    past, future = MOST_PAST + 3 * STRIDE, MOST_FUTURE + 3 * STRIDE
    assert max(past, future) <= NETWORK_REACH_S * FRAME_HZ
    # Beside the level's 11 s and 2.5 s, and the filters' 0.7 s.
    assert past + 11.7 * FRAME_HZ <= REACH_PAST_S * FRAME_HZ
    assert future + 3.2 * FRAME_HZ <= REACH_FUTURE_S * FRAME_HZ


@pytest.mark.parametrize("shift", [PLACE, 25 * PLACE])
def test_a_shift_of_whole_places_shifts_the_output(shift):
    model = net()
    x = frames(2, 2400)
    past, future = (reach // STRIDE + 3 for reach in model.reach)
    inside = slice(past, -future)
    with torch.inference_mode():
        whole, shifted = model(x)[:, :, shift // STRIDE :], model(x[:, shift:])
    assert whole[..., inside].shape[-1] > 100
    assert whole.std() > 0.01
    torch.testing.assert_close(shifted[..., inside], whole[..., inside], atol=1e-5, rtol=1e-5)


def test_what_lies_beyond_its_reach_changes_nothing():
    model = net()
    x = frames(1, 2400)
    edge = 300
    changed = x.clone()
    changed[:, STRIDE * edge + model.reach[1] + 1 :] = 100.0
    with torch.inference_mode():
        before, after = model(x), model(changed)
    torch.testing.assert_close(after[..., : edge + 1], before[..., : edge + 1])
    assert not torch.allclose(after[..., edge + 1 :], before[..., edge + 1 :], atol=1e-2)
    changed = x.clone()
    changed[:, : STRIDE * edge - model.reach[0]] = 100.0
    with torch.inference_mode():
        after = model(changed)
    torch.testing.assert_close(after[..., edge:], before[..., edge:])
    assert not torch.allclose(after[..., :edge], before[..., :edge], atol=1e-2)


@pytest.mark.parametrize(
    "settings", [{"past_only": "x"}, {"width": 8.0}, {"dilations": [1, None]}, {"kernel": "3"}]
)
def test_numbers_are_whole(settings):
    with pytest.raises(ValueError, match=r"must all be whole numbers$"):
        BeatFinderNet(**settings)


@pytest.mark.parametrize("past_only", [-1, 7])
def test_no_more_layers_look_back_than_there_are(past_only):
    with pytest.raises(ValueError, match=r"^past_only = -?\d; expected 0 to 6, the number of la"):
        BeatFinderNet(past_only=past_only)


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
    shown = {"width": 32, "kernel": 3, "first_kernel": 17, "dilations": [1, 2, 4, 8, 16, 32]}
    shown |= settings
    with pytest.raises(ValueError, match=r"must all be above 0$") as caught:
        BeatFinderNet(**settings)
    assert str(caught.value) == (
        f"width = {shown['width']}, kernel = {shown['kernel']}, "
        f"first_kernel = {shown['first_kernel']} and dilations = {shown['dilations']} "
        "must all be above 0"
    )
