"""ONNX Runtime, told to keep to itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

# From version 1.29 on, ONNX Runtime reports its use over the network and marks the machine with an
# identifier, from its import on; a program that reads patients' recordings does not. The variables
# are read once, before anything is sent: the first by releases, the second by builds in between.
OPT_OUTS = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")


def onnx_runtime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off, unless the user's environment decides."""
    for name in OPT_OUTS:
        os.environ.setdefault(name, "1")
    import onnxruntime

    module: ModuleType = onnxruntime
    module.disable_telemetry_events()  # on Windows the one way there is
    return module
