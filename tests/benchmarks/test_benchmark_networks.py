"""The pieces of the benchmarks of networks, on tiny settings: they measure what they say."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import accuracy
import heads
import network
import numpy as np
import pytest
import roofline
import torch
from published import TITLES, make_baseline, zscored

from ectopy.data.protocols import BeatSet
from ectopy.inference.engine import Classifier
from ectopy.models.bundle import find_bundle
from ectopy.models.saving import load_model

MODELS = ["cnn-mlp/inter", "rhythm-kan/inter"]


@pytest.fixture(scope="module")
def beats():
    return network.make_beats(150, seed=7)


@pytest.mark.parametrize("kind", TITLES)
def test_the_published_baseline_gives_our_classes_for_our_weights(kind, beats):
    baseline = make_baseline(kind)
    ours = Classifier(f"{kind}/intra", threads=1).classify_windows(beats.windows_mv)
    found = baseline(beats.windows_mv)
    assert len(np.unique(found)) > 1  # several classes, or agreeing would be no feat
    assert (found == ours.argmax(axis=1)).all()
    windows = zscored(beats.windows_mv)
    assert (baseline.network(windows) == found).all()
    with torch.no_grad():
        difference = baseline.net(windows) - load_model(f"{kind}/intra")(windows)
    assert difference.abs().max() < 1e-4


def test_the_recursion_is_the_closed_form():
    ours, x = heads.our_head(), 2 * torch.randn(50, 256)
    with torch.no_grad():
        assert torch.allclose(heads.recursive_head(ours)(x), ours(x), atol=1e-5)


def test_pykan_computes_the_same_functions():
    ours, x = heads.our_head(), 2 * torch.randn(50, 256)
    try:
        peer = heads.pykan_head(ours)
    except PackageNotFoundError:
        pytest.skip("pykan is not installed: make .venv/bench")
    ours.kan1.layer_norm = ours.kan2.layer_norm = torch.nn.Identity()  # pykan has none
    with torch.no_grad():
        assert torch.allclose(peer(x), ours(x), atol=1e-5)


def test_a_head_by_itself_in_onnx_runtime():
    ours, x = heads.our_head(), torch.randn(9, 256)
    found = heads.onnx_head(heads.export_head(ours, x[:2]), x, threads=1)()
    with torch.no_grad():
        assert np.abs(found - ours(x).numpy()).max() < 1e-5


def test_rows_of_heads():
    seconds = {heads.KAN_ONNX: [1.0, 2.0, 4.0], heads.MLP_ONNX: [0.5, 0.5, 1.0]}
    first, second = heads.rows_of(seconds, 2, 128)
    assert (first["ms"], first["to_ours"], first["to_mlp"]) == (2000, 1, 4)
    assert (second["threads"], second["batch"], second["to_ours"]) == (2, 128, 0.25)


def test_networks_and_ways(beats):
    settings = {"rounds": 2}
    alone = network.measure_networks(MODELS, 2, 1, beats, settings)
    assert {key[:2] for key in alone} == {(model, "network") for model in MODELS}
    ways = network.measure_ways(MODELS, 1, beats, 2)
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in ways.values())
    rows = network.rows_of(ways, 1, 128, 150)
    assert all(row["beats_per_s"] == pytest.approx(1e3 / row["ms_per_beat"]) for row in rows)
    ways[network.key_of(ways, "rhythm-kan", network.SIGNAL)] = [1.0, 1.0]
    ways[network.key_of(ways, network.PUBLISHED, network.SIGNAL)] = [7.0, 9.0]
    assert network.ways_ratios(ways)[network.WHOLE] == 8


def test_ways_end_in_the_same_classes(beats):
    classifier = Classifier("rhythm-kan/inter", threads=1)
    found = [way() for way in network.our_ways(classifier, beats).values()]
    assert len(found) == 2
    assert (found[0] == found[1]).all()


def test_single_beats(beats):
    rows = network.measure_singles(["rhythm-kan/inter"], beats, 40)
    assert [row["calls"] for row in rows] == [40, 40]
    assert all(0 < row["p50_ms"] <= row["p99_ms"] <= row["most_ms"] for row in rows)


def test_probes_compute_what_they_are_counted_for():
    probes = roofline.flop_probes([8], 1)
    assert probes["product of 8, NumPy"][0] == 2 * 8**3
    a, b = np.random.default_rng(0).standard_normal((2, 8, 8), dtype=np.float32)
    assert np.allclose(probes["product of 8, ONNX Runtime"][1]()[0], a @ b, atol=1e-5)
    images, height, width = roofline.IMAGES[0]
    flops, call = next(p for name, p in probes.items() if name.startswith("convolution of 1 "))
    assert call()[0].shape == (images, roofline.CHANNELS, height, width)
    assert flops == 2 * 64 * 256 * 64 * 64 * 3


def test_what_bounds_a_network():
    bundle = find_bundle("rhythm-kan/inter")
    flops, moved = 2 * bundle.multiply_adds, 4 * (3 * 256 + 23 + 5 + bundle.n_parameters / 128)
    assert roofline.least_bytes(bundle, 128) == pytest.approx(moved)
    row = roofline.row_of(bundle, 1, 128, [128 * flops / 30e9], 100e9, 1e12)
    assert (row["bound_flops"], row["bound_by"]) == (100e9, "peak")
    assert row["share_of_bound"] == pytest.approx(0.3)
    row = roofline.row_of(bundle, 1, 128, [1.0], 100e9, 1e6)
    assert row["bound_by"] == "bandwidth"
    assert row["bound_flops"] == pytest.approx(1e6 * flops / moved)
    found = roofline.figure_of({"flops": 100e9, "bandwidth": 1e10, "rows": [row]})
    assert found["roof"]["flops"] == pytest.approx([1e9, 100e9, 100e9])
    assert found["points"][0]["flops"] == row["reached_flops"]


def test_engine_and_torch_are_compared(beats):
    n = len(beats.windows_mv)
    names, classes = np.full(n, "made up"), np.arange(n, dtype=np.int8) % 5
    test = BeatSet(beats.windows_mv, classes, names, np.arange(n))
    bundle = find_bundle("cnn-kan/intra")
    row = accuracy.compare(bundle, test)
    assert row["same"]
    assert (row["beats"], row["classes_that_differ"]) == (n, 0)
    assert 0 < row["largest_difference"] < 1e-4  # 0 would mean that ONNX Runtime ran twice


def test_a_network_that_differs_is_told(beats, monkeypatch):
    ours = load_model("cnn-kan/intra")
    monkeypatch.setattr(accuracy, "load_model", lambda folder: lambda windows: -ours(windows))
    n = len(beats.windows_mv)
    classes = Classifier("cnn-kan/intra", threads=1).classify_windows(beats.windows_mv).argmax(1)
    test = BeatSet(beats.windows_mv, classes.astype(np.int8), np.full(n, ""), np.arange(n))
    row = accuracy.compare(find_bundle("cnn-kan/intra"), test)
    assert not row["same"]
    assert row["classes_that_differ"] > 0
