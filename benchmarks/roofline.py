"""How much of what the machine can do the networks reach: FLOP/s, bytes/s, and the roofline.

python benchmarks/roofline.py

The machine's peak is the highest of several probes in their best rounds, in single precision:
square matrix products by NumPy, PyTorch and ONNX Runtime, and convolutions by ONNX Runtime, which
reach more than the products where a BLAS does not use the widest vectors. Its bandwidth is the
highest of sums of arrays far beyond any cache; bytes are counted as STREAM does it, each array once
(a = b + s c: two read, one written), and what is read before it is overwritten is not counted.

A network's work is 2 x the multiply-adds that its bundle states. The least it can move is its
inputs, its outputs, and its weights once a batch. Work by bytes is its arithmetic intensity, and
min(peak, intensity x bandwidth) bounds what it can reach (Williams, Waterman, Patterson 2009,
doi:10.1145/1498765.1498785). Probes and networks are measured in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from keeping import keep
from limiting import limited, open_session, together
from measuring import interleaved, spread
from onnx import TensorProto, helper
from settings import command_line, settings_of

from ectopy.beats import CLASSES
from ectopy.inference.engine import open_graph
from ectopy.models.bundle import Bundle, find_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHANNELS, KERNEL = 64, 3
IMAGES = ((1, 64, 256), (8, 32, 128), (32, 16, 64))
"""Pictures, their height and width, of the convolutions that probe the peak."""

GOAL = 0.40
FLOAT_BYTES = 4


def main() -> None:
    options = command_line(__doc__).parse_args()
    settings = settings_of("roofline", long=options.long)
    rows, probes, figure = [], [], {}
    for threads in settings["threads"]:
        with limited(threads), torch.inference_mode():
            found = measure(threads, settings)
        probes += found["probes"]
        rows += found["rows"]
        figure[str(threads)] = figure_of(found)
    show(probes, rows)
    further = {"settings": settings, "goal": GOAL, "probes": probes, "figure": figure}
    keep("roofline", rows, folder=options.out, **further)


def measure(threads: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Measure probes and networks in turn, and set one against the other."""
    work = flop_probes(settings["matrices"], threads)
    traffic = byte_probes(settings["array_mib"] * 2**20 // FLOAT_BYTES)
    bundles = {name: find_bundle(name) for name in settings["models"]}
    networks = {
        name: network_call(one, settings["batch"], threads) for name, one in bundles.items()
    }
    calls = {name: call for name, (_, call) in (work | traffic).items()}
    in_order = dict(sorted((calls | networks).items(), key=lambda one: _turn(one[0])))
    seconds = interleaved(in_order, settings["rounds"], repeats=settings["repeats"])
    peak, flops = best_of(work, seconds)
    bandwidth, rate = best_of(traffic, seconds)
    rows = [
        row_of(bundle, threads, settings["batch"], seconds[name], flops, rate)
        for name, bundle in bundles.items()
    ]
    probes = [
        {
            "probe": name,
            "threads": threads,
            "of": "FLOP/s" if name in work else "bytes/s",
            "per_s": amount / spread(seconds[name])["median"],
            "best_per_s": amount / min(seconds[name]),
            "counts": name in (peak, bandwidth),
        }
        for name, (amount, _) in (work | traffic).items()
    ]
    return {"probes": probes, "rows": rows, "flops": flops, "bandwidth": rate}


def _turn(name: str) -> int:
    """Where in a round a contestant comes: PyTorch's and a BLAS's threads spin after their work.

    So they come last, and before the others NumPy's sums, for which one thread is enough.
    """
    if "PyTorch" in name:
        return 3
    if "NumPy" in name:
        return 0 if name.startswith("a = ") else 2
    return 1


Probe = tuple[float, "Callable[[], Any]"]
"""What one call does, in operations or bytes, and the call."""


def best_of(probes: Mapping[str, Probe], seconds: Mapping[str, list[float]]) -> tuple[str, float]:
    """Name and rate of the probe with the highest rate, in its best round.

    What the machine can do it can do once; a median would count what others did meanwhile, such as
    PyTorch's threads, which spin for a while after their work.
    """
    rates = {n: amount / min(seconds[n]) for n, (amount, _) in probes.items()}
    return max(rates.items(), key=lambda one: one[1])


def flop_probes(sizes: list[int], threads: int) -> dict[str, Probe]:
    """Products and convolutions in single precision, by what computes them.

    NumPy and PyTorch share one product among threads; ONNX Runtime has one in each.
    """
    rng = np.random.default_rng(0)
    probes: dict[str, Probe] = {}
    for n in sizes:
        a, b = rng.standard_normal((2, n, n), dtype=np.float32)
        c, s, t, u = np.empty_like(a), *(torch.from_numpy(x.copy()) for x in (a, b, a))
        session, feed = open_session(product_graph(b)), {"x": a}
        in_onnx = together(lambda r=session.run, f=feed: r(None, f), threads)
        flops = 2.0 * n**3
        probes |= {
            f"product of {n}, NumPy": (flops, lambda a=a, b=b, c=c: np.matmul(a, b, out=c)),
            f"product of {n}, PyTorch": (flops, lambda s=s, t=t, u=u: torch.mm(s, t, out=u)),
            f"product of {n}, ONNX Runtime": (threads * flops, in_onnx),
        }
    for images, height, width in IMAGES:
        session = open_session(convolution_graph(rng))
        shape = (images, CHANNELS, height, width)
        feed = {"x": rng.standard_normal(shape, dtype=np.float32)}
        flops = 2.0 * images * height * width * CHANNELS**2 * KERNEL
        name = f"convolution of {images} x {CHANNELS} x {height} x {width}, ONNX Runtime"
        call = together(lambda r=session.run, f=feed: r(None, f), threads)
        probes[name] = (threads * flops, call)
    return probes


def product_graph(weights: np.ndarray) -> bytes:
    """Graph of x @ weights."""
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return graph_of(node, {"w": weights}, [None, len(weights)])


def convolution_graph(rng: np.random.Generator) -> bytes:
    """Graph of one (1, 3) convolution over 64 channels, in the layout of pictures."""
    weights = rng.standard_normal((CHANNELS, CHANNELS, 1, KERNEL), dtype=np.float32)
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], kernel_shape=[1, KERNEL], pads=[0, KERNEL // 2, 0, KERNEL // 2]
    )
    return graph_of(node, {"w": weights}, [None, CHANNELS, None, None])


def graph_of(node: onnx.NodeProto, weights: Mapping[str, Any], shape: list[int | None]) -> bytes:
    """A graph of one node, from ``x`` to ``y``."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * len(shape))
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph([node], "probe", [x], [y], constants)
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def byte_probes(n: int) -> dict[str, Probe]:
    """Sums and copies of arrays of `n` floats; PyTorch's run on all threads, NumPy's on one."""
    a, b, c = (np.full(n, value, dtype=np.float32) for value in (0, 1, 2))
    x, y, z = (torch.from_numpy(array) for array in (a, b, c))
    array = float(FLOAT_BYTES * n)
    return {
        "a = b + 3 c, PyTorch": (3 * array, lambda: torch.add(y, z, alpha=3.0, out=x)),
        "a = b + c, NumPy": (3 * array, lambda: np.add(b, c, out=a)),
        "a = b, PyTorch": (2 * array, lambda: x.copy_(y)),
        "a = b, NumPy": (2 * array, lambda: np.copyto(a, b)),
    }


def network_call(bundle: Bundle, batch: int, threads: int) -> Callable[[], Any]:
    """One call of a bundle's network with a batch of noise in each thread."""
    session, rng = open_graph(bundle), np.random.default_rng(1)
    feed = {
        one.name: rng.standard_normal((batch, *one.shape[1:]), dtype=np.float32)
        for one in session.get_inputs()
    }
    return together(lambda: session.run(None, feed), threads)


def least_bytes(bundle: Bundle, batch: int) -> float:
    """Least bytes a beat: its inputs, its outputs, and a beat's share of the weights."""
    contract = bundle.contract
    inputs = contract.before + contract.after
    if contract.reads_rhythm:
        inputs = 3 * inputs + len(contract.rhythm_features)
    return FLOAT_BYTES * (inputs + len(CLASSES) + bundle.n_parameters / batch)


def row_of(
    bundle: Bundle,
    threads: int,
    batch: int,
    seconds: list[float],
    peak: float,
    bandwidth: float,
) -> dict[str, Any]:
    """What a network reaches of what bounds it."""
    flops, moved = 2.0 * (bundle.multiply_adds or 0), least_bytes(bundle, batch)
    intensity = flops / moved
    bound = min(peak, intensity * bandwidth)
    reached = flops * batch * threads / spread(seconds)["median"]
    return {
        "model": bundle.full_name,
        "threads": threads,
        "batch": batch,
        "flops_per_beat": flops,
        "bytes_per_beat": moved,
        "intensity": intensity,
        "bound_flops": bound,
        "bound_by": "peak" if bound == peak else "bandwidth",
        "reached_flops": reached,
        "share_of_bound": reached / bound,
        "ms_per_batch": 1e3 * spread(seconds)["median"],
    }


def figure_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The roof as a line through three points, and the networks as points, for a log-log plot."""
    peak, bandwidth = found["flops"], found["bandwidth"]
    ridge = peak / bandwidth
    points = [
        {"model": row["model"], "intensity": row["intensity"], "flops": row["reached_flops"]}
        for row in found["rows"]
    ]
    intensity = [0.1, ridge, max(10 * ridge, 2 * max(one["intensity"] for one in points))]
    roof = {"intensity": intensity, "flops": [min(peak, x * bandwidth) for x in intensity]}
    rates = {"peak_flops": peak, "bandwidth_bytes": bandwidth, "ridge": ridge}
    return {**rates, "roof": roof, "points": points}


def show(probes: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    """Print small tables."""
    for one in probes:
        mark = " <- counts" if one["counts"] else ""
        print(
            f"{one['probe']:44} {one['threads']} threads  {one['per_s'] / 1e9:7.1f} G{one['of']}"
            f"  (best round {one['best_per_s'] / 1e9:.1f}){mark}"
        )
    for row in rows:
        print(
            f"{row['model']:18} {row['threads']} threads  {row['intensity']:7.1f} FLOP/byte  "
            f"{row['reached_flops'] / 1e9:6.1f} of {row['bound_flops'] / 1e9:6.1f} GFLOP/s "
            f"({row['bound_by']}): {100 * row['share_of_bound']:.1f} %"
        )


if __name__ == "__main__":
    main()
