"""The shared encoder and its pooling."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ectopy.models.encoder import HalvingMaxPool, make_encoder


@pytest.mark.parametrize("length", [2, 3, 4, 7, 16, 33])
@pytest.mark.parametrize("training", [True, False])
def test_pooling_is_that_of_torch(length, training):
    torch.manual_seed(length)
    x = torch.randn(3, 4, length)  # random, so without ties
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    pooled = HalvingMaxPool().train(training)(ours)
    expected = nn.MaxPool1d(2)(theirs)
    torch.testing.assert_close(pooled, expected, rtol=0, atol=0)
    weights = torch.randn_like(expected)
    (pooled * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=0)


def test_shapes_and_parameters():
    encoder = make_encoder()
    assert encoder(torch.randn(2, 1, 256)).shape == (2, 256, 16)
    assert sum(p.numel() for p in encoder.parameters()) == 134_304


def test_dropouts_change_training_only():
    torch.manual_seed(0)
    x = torch.randn(2, 1, 256)
    with_dropout, without = make_encoder((0.5, 0.5, 0.5, 0.5)), make_encoder((0, 0, 0, 0))
    without.load_state_dict(with_dropout.state_dict())
    assert not torch.allclose(with_dropout(x), without(x))
    without.load_state_dict(with_dropout.state_dict())
    assert torch.equal(with_dropout.eval()(x), without.eval()(x))
