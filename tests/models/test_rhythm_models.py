"""The rhythm models: what goes into the head, and what training does to it."""

from __future__ import annotations

import pytest
import torch

from ectopy.errors import RecipeError
from ectopy.models import KANLayer, RhythmKAN, RhythmMLP, create_model
from ectopy.models.likeness import LIKENESS_FEATURES
from ectopy.models.rhythm import LIMIT, N_RHYTHM, NAMED_FEATURES, ShapeEncoder
from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.signal.typical import STEADINESS

both = pytest.mark.parametrize("name", ["rhythm-mlp", "rhythm-kan"])


def inputs(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = torch.randn(n, 3, 256, generator=generator)
    return shapes, torch.randn(n, N_RHYTHM, generator=generator)


def test_each_name_once_and_in_order():
    assert len(set(NAMED_FEATURES)) == len(NAMED_FEATURES) == 44
    assert NAMED_FEATURES[:N_RHYTHM] == (*RHYTHM_FEATURES, STEADINESS)
    assert NAMED_FEATURES[N_RHYTHM:] == tuple(LIKENESS_FEATURES)


@both
def test_named_features_come_first_and_stop_at_the_limit(name, untrained_model):
    model = untrained_model(name)
    shapes, rhythm = inputs(9)
    rhythm[0] = 1e6
    with torch.inference_mode():
        found = model.features(shapes, rhythm)
        likeness = model.likeness(shapes)
    assert found.shape == (9, model.n_features) == (9, len(NAMED_FEATURES) + 8)
    expected = (rhythm - model.scale.running_mean[:N_RHYTHM]) / torch.sqrt(
        model.scale.running_var[:N_RHYTHM] + model.scale.eps
    )
    torch.testing.assert_close(found[1:, :N_RHYTHM], expected[1:], atol=1e-4, rtol=1e-4)
    assert (found[0, :N_RHYTHM] == LIMIT).all()
    assert found[:, : len(NAMED_FEATURES)].abs().max() <= LIMIT
    order = likeness[:, 0].argsort()
    assert torch.equal(found[:, N_RHYTHM].argsort(), order)


@both
def test_the_beat_is_seen_only_where_settings_say_so(name):
    """Without it, a shape that beat and typical beats share changes nothing in the encoder."""
    shapes, _ = inputs(5)
    common = torch.zeros(1, 1, 256)
    common[..., 200:230] = torch.randn(30, generator=torch.Generator().manual_seed(1))
    for sees_beat in (True, False):
        torch.manual_seed(2)
        encoder = create_model(name, {"sees_beat": sees_beat}).eval().encoder
        with torch.inference_mode():
            same = torch.allclose(encoder(shapes + common), encoder(shapes), atol=1e-5)
        assert same is not sees_beat


@both
def test_the_recording_s_gain_does_not_reach_the_encoder(name):
    torch.manual_seed(2)
    encoder = create_model(name).eval().encoder
    shapes = 5 * inputs(5)[0]
    with torch.inference_mode():
        torch.testing.assert_close(encoder(2 * shapes), encoder(shapes), atol=5e-3, rtol=5e-3)


@both
def test_training_leaves_embeddings_out_and_adds_noise(name):
    torch.manual_seed(3)
    model = create_model(name, {"embedding_dropout": 0.5, "feature_noise": 0.0}).train()
    embedding = model.features(*inputs(400))[:, len(NAMED_FEATURES) :]
    left_out = (embedding == 0).all(dim=1).float().mean()
    assert 0.4 < left_out < 0.6
    model = create_model(name, {"embedding_dropout": 1.0, "feature_noise": 0.3}).train()
    model.scale.momentum = 0.0
    first, second = (model.features(*inputs(400))[:, : len(NAMED_FEATURES)] for _ in range(2))
    assert (first - second).std().item() == pytest.approx(0.3 * 2**0.5, rel=0.05)
    assert (model.features(*inputs(400))[:, len(NAMED_FEATURES) :] == 0).all()


@both
def test_constant_signals_have_logits(name, untrained_model):
    model = untrained_model(name)
    with torch.inference_mode():
        assert torch.isfinite(model(torch.zeros(3, 3, 256), torch.zeros(3, N_RHYTHM))).all()


def test_functions_of_the_first_kan_layer_are_of_one_feature_each():
    """Its output is a sum of one function a feature, so that each can be read by itself."""
    model = RhythmKAN().eval()
    layer = model.head[0]
    assert isinstance(layer, KANLayer)
    assert isinstance(layer.layer_norm, torch.nn.Identity)
    x = torch.rand(6, model.n_features, generator=torch.Generator().manual_seed(0)) * 2 * LIMIT
    x = x - LIMIT
    other = x.flip(0)
    with torch.inference_mode():
        base = layer(x)
        alone = []
        for k in range(model.n_features):
            changed = x.clone()
            changed[:, k] = other[:, k]
            alone.append(layer(changed) - base)
        torch.testing.assert_close(
            base + torch.stack(alone).sum(0), layer(other), atol=1e-4, rtol=1e-4
        )
    assert layer.grid[0, 3].item() == -LIMIT
    assert isinstance(model.head[2].layer_norm, torch.nn.LayerNorm)


def test_a_model_comes_out_of_its_bundle(untrained_bundle, untrained_model):
    loaded = RhythmMLP.from_pretrained(untrained_bundle("rhythm-mlp"))
    with torch.inference_mode():
        assert torch.equal(loaded(*inputs(4)), untrained_model("rhythm-mlp")(*inputs(4)))


@pytest.mark.parametrize("positions", [1, 4, 8, 32])
def test_parts_of_the_window_are_averaged_each_by_itself(positions):
    """All parts together are what one part is, and a change in one place stays in its part."""
    torch.manual_seed(3)
    settings = {"channels": (4, 6, 8), "embedding": 5, "sees_beat": True, "dropout": 0.0}
    encoder = ShapeEncoder(**settings, positions=positions).eval()
    assert encoder.out[1].in_features == (positions + 1) * 8
    encoder.out = torch.nn.Identity()
    one = ShapeEncoder(**settings).eval()
    one.halving, one.keeping, one.out = encoder.halving, encoder.keeping, torch.nn.Identity()
    shapes, _ = inputs(6)
    moved = shapes.clone()
    moved[:, 0, 250:] += 5.0
    with torch.inference_mode():
        found, whole, changed = encoder(shapes), one(shapes), encoder(moved)
    parts = found[:, : positions * 8].view(6, 8, positions)
    torch.testing.assert_close(parts.mean(-1), whole[:, :8])
    torch.testing.assert_close(found[:, positions * 8 :], whole[:, 8:])
    other = changed[:, : positions * 8].view(6, 8, positions)
    if positions == 8:  # the window's end reaches back 80 samples at most
        torch.testing.assert_close(other[..., :5], parts[..., :5])
        assert not torch.allclose(other[..., 7], parts[..., 7])


@pytest.mark.parametrize("positions", [0, -1, 3, 64])
def test_positions_that_do_not_divide_the_window(positions):
    with pytest.raises(RecipeError, match=rf"^positions = {positions}: expected a divisor of 32$"):
        create_model("rhythm-mlp", {"positions": positions})
