"""Give every library that computes here the same number of threads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from threadpoolctl import threadpool_limits

from ectopy.models.runtime import onnx_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnxruntime import InferenceSession


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let PyTorch and the BLAS of NumPy use so many threads; ONNX Runtime is told by session."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def open_session(graph: bytes, threads: int) -> InferenceSession:
    """Open a graph that is no bundle's, with the settings that the engine opens bundles with."""
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session: InferenceSession = onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"]
    )
    return session
