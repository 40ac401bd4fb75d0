"""Give every library that computes here the same number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from threadpoolctl import threadpool_limits

from ectopy.models.runtime import onnx_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def together(call: Callable[[], Any], threads: int) -> Callable[[], Any]:
    """Give a call that makes so many of another at the same time, as the engine does it."""
    if threads == 1:
        return call
    pool = ThreadPoolExecutor(threads)

    def all_of_them() -> None:
        for future in [pool.submit(call) for _ in range(threads)]:
            future.result()

    return all_of_them


def open_session(graph: bytes, threads: int = 1) -> InferenceSession:
    """Open a graph that is no bundle's; in one thread, as the engine opens bundles, unless told."""
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session: InferenceSession = onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"]
    )
    return session
