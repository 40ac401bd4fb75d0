"""The KAN head alone, at the published sizes 256-64-5, against its peers and the MLP head.

python benchmarks/heads.py

All KAN heads have cubic splines on 5 intervals. Ours, the recursive one and pykan's compute the
same functions; pykan has no LayerNorm before its layers, which is a little less work. Peers that
are not installed are left out, and the results say so: `make .venv/bench` installs them.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from keeping import keep
from limiting import limited, open_session
from measuring import interleaved, ratios, spread
from published import CLASSES, FEATURES, HIDDEN
from published import KANHead as RecursiveHead
from settings import command_line, settings_of
from torch import nn

from ectopy.models.cnn import ECGCNN
from ectopy.models.inference_form import inference_form
from ectopy.models.kan import KANHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

KAN, KAN_ONNX, MLP, MLP_ONNX = (
    "KAN head, ours, PyTorch",
    "KAN head, ours, ONNX Runtime",
    "MLP head, PyTorch",
    "MLP head, ONNX Runtime",
)
RECURSIVE, PYKAN = "KAN head, Cox-de Boor recursion, PyTorch", "KAN, pykan"
NOT_A_PEER = {
    "efficient-kan, fast-kan": "not on PyPI; the recursive head is the formulation of the former",
    "TorchKAN 0.1.1": "its package on PyPI holds no module",
}


def main() -> None:
    options = command_line(__doc__).parse_args()
    settings = settings_of("heads", long=options.long)
    rows: list[dict[str, Any]] = []
    raw = {}
    x = torch.randn(settings["batch"], FEATURES, generator=torch.Generator().manual_seed(0))
    ours, mlp = our_head(), ECGCNN().classifier.eval()
    in_torch, missing = torch_heads(ours, mlp, x)
    graphs = {KAN_ONNX: export_head(ours, x), MLP_ONNX: export_head(mlp, x)}
    for threads in settings["threads"]:
        in_onnx = {name: onnx_head(graph, x, threads) for name, graph in graphs.items()}
        with limited(threads), torch.inference_mode():
            seconds = interleaved(
                in_onnx | in_torch, settings["rounds"], repeats=settings["repeats"]
            )
        raw[f"{threads} threads"] = seconds
        rows += rows_of(seconds, threads, len(x))
    for row in rows:
        print(
            f"{row['head']:42} {row['threads']} threads  {row['ms']:8.3f} ms  "
            f"{row['to_ours']:7.2f} times ours in ONNX Runtime"
        )
    for name, why in missing.items():
        print(f"left out: {name}: {why}")
    further = {"settings": settings, "missing_peers": missing, "raw_seconds": raw}
    keep("heads", rows, folder=options.out, **further)


def torch_heads(
    ours: KANHead, mlp: nn.Module, x: Tensor
) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """All heads in PyTorch that are to be had, called with `x`, and why others are not."""
    recursive = recursive_head(ours)
    heads: dict[str, Callable[[], Any]] = {
        KAN: lambda: ours(x),
        MLP: lambda: mlp(x),
        RECURSIVE: lambda: recursive(x),
    }
    missing = dict(NOT_A_PEER)
    try:
        pykan = pykan_head(ours)
    except PackageNotFoundError:
        missing["pykan"] = "not installed"
    else:
        heads[PYKAN] = lambda: pykan(x)
    return heads, missing


def our_head() -> KANHead:
    """Build our head at the published sizes, in eval mode."""
    torch.manual_seed(0)
    head = KANHead(
        n_in=FEATURES,
        n_hidden=HIDDEN,
        n_classes=CLASSES,
        intervals=5,
        grid_range=(-1.0, 1.0),
        spline_noise=0.1,
    )
    return head.eval()


def recursive_head(ours: KANHead) -> RecursiveHead:
    """Build the published head with the weights of ours."""
    head = RecursiveHead()
    head.load_state_dict(ours.state_dict())
    return head.eval()


def pykan_head(ours: KANHead) -> nn.Module:
    """Build pykan's network with the weights of ours, symbolic functions and keeping switched off.

    Raises
    ------
    PackageNotFoundError
        If pykan is not installed.
    """
    version("pykan")  # its module's name, `kan`, may be another package's
    from kan import KAN as PyKAN  # noqa: N811  # a class, whatever its name looks like

    net = PyKAN(
        width=[FEATURES, HIDDEN, CLASSES],
        grid=5,
        k=3,
        symbolic_enabled=False,
        save_act=False,
        auto_save=False,
        device="cpu",
    )
    for layer, own in zip(net.act_fun, (ours.kan1, ours.kan2), strict=True):
        layer.grid.data = own.grid.clone()
        layer.coef.data = own.spline_weight.detach().permute(1, 0, 2).contiguous()
        layer.scale_base.data = own.base_weight.detach().T.contiguous()
        layer.scale_sp.data = torch.ones_like(layer.scale_base)
    return net.eval()


def export_head(head: nn.Module, x: Tensor) -> bytes:
    """Export a head by itself, in the form that whole networks are exported in."""
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notes on its own internals
        path = Path(folder) / "head.onnx"
        torch.onnx.export(
            inference_form(head),
            (x,),
            path,
            input_names=["features"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("beats")},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        return path.read_bytes()


def onnx_head(graph: bytes, x: Tensor, threads: int) -> Callable[[], Any]:
    """Open a head, ready to be called with `x`; threads share a call, as PyTorch's do."""
    session = open_session(graph, threads)
    feed = {"features": x.numpy()}
    return lambda: session.run(None, feed)[0]


def rows_of(seconds: dict[str, list[float]], threads: int, batch: int) -> list[dict[str, Any]]:
    """One row a head; times to ours are medians of the rounds' own ratios."""
    to_ours, to_mlp = ratios(seconds, KAN_ONNX), ratios(seconds, MLP_ONNX)
    rows = []
    for name, values in seconds.items():
        times = spread(values)
        rows.append(
            {
                "head": name,
                "threads": threads,
                "batch": batch,
                "ms": 1e3 * times["median"],
                "least_ms": 1e3 * times["least"],
                "most_ms": 1e3 * times["most"],
                "to_ours": to_ours[name],
                "to_mlp": to_mlp[name],
            }
        )
    return rows


if __name__ == "__main__":
    main()
