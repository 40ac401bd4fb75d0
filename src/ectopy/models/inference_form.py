"""The form in which a network is exported: the same function of its input, cheaper to run.

Networks are written, trained and read in the form that says what they do. Where another form gives
the same outputs for less, it is put in its place here, on the way to the ONNX graph, and the graph
is checked against the network as it was written.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, TypeVar

from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ectopy.models.cnn import CNNModel
from ectopy.models.kan import KANLayer
from ectopy.models.kan_products import KANProducts
from ectopy.models.likeness import Likeness
from ectopy.models.likeness_products import LikenessProducts
from ectopy.models.rhythm import RhythmModel

if TYPE_CHECKING:
    from torch import Tensor

Network = TypeVar("Network", bound=nn.Module)


def inference_form(model: Network) -> Network:
    """Copy a network, with each part in the form that is cheapest to run.

    Parameters
    ----------
    model : torch.nn.Module
        Any network of this package. It is left as it is.

    Returns
    -------
    torch.nn.Module
        In eval mode; it cannot be trained.

    Examples
    --------
    >>> import torch
    >>> from ectopy.models import create_model
    >>> model, beats = create_model("cnn-kan").eval(), torch.randn(3, 1, 256)
    >>> bool((inference_form(model)(beats) - model(beats)).abs().max() < 1e-5)
    True
    """
    form = deepcopy(model).eval()
    if isinstance(form, CNNModel):
        form.encoder = nn.Sequential(_ToImages(), *_as_images(form.encoder))
    if isinstance(form, RhythmModel):
        form.encoder.halving = nn.Sequential(_ToImages(), *_as_images(form.encoder.halving))
        form.encoder.keeping = _as_images(form.encoder.keeping)
    _put_products(form)
    return form


def _put_products(module: nn.Module) -> None:
    for name, part in module.named_children():
        if isinstance(part, KANLayer):
            setattr(module, name, KANProducts(part))
        elif isinstance(part, Likeness):
            setattr(module, name, LikenessProducts())
        else:
            _put_products(part)


class _ToImages(nn.Module):
    """Make images of one row out of series, (beats, channels, 1, length).

    ONNX Runtime has convolutions for images that lay channels out for the processor's vector
    instructions; those for series take up to twice as long.
    """

    def forward(self, series: Tensor) -> Tensor:
        return series.unsqueeze(2)


class _ImageConv(nn.Module):
    """A convolution of series as one of images, which the normalisation after it is part of."""

    def __init__(self, conv: nn.Conv1d, norm: nn.BatchNorm1d) -> None:
        super().__init__()
        fused = fuse_conv_bn_eval(conv, norm)
        self.weight = nn.Parameter(fused.weight.unsqueeze(2), requires_grad=False)
        self.bias = fused.bias
        self.stride, self.padding = (1, *conv.stride), (0, int(conv.padding[0]))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)


def _as_images(stack: nn.Sequential) -> nn.Sequential:
    """Turn convolutions, normalisations and poolings of series into those of images."""
    parts: list[nn.Module] = []
    for part in _flat(stack):
        if isinstance(part, nn.BatchNorm1d):
            convolution = parts.pop()
            assert isinstance(convolution, nn.Conv1d)  # noqa: S101  # so our encoders are built
            parts.append(_ImageConv(convolution, part))
        elif isinstance(part, nn.MaxPool1d):
            parts.append(nn.MaxPool2d((1, 2)))
        elif not isinstance(part, nn.Dropout):
            parts.append(part)
    return nn.Sequential(*parts)


def _flat(module: nn.Module) -> list[nn.Module]:
    """Parts of nested sequences in order."""
    parts = list(module.children())
    return [inner for part in parts for inner in _flat(part)] if parts else [module]
