"""Find, class and explain every heartbeat of an ECG recording.

Research software, not a medical device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ectopy._version import __version__

if TYPE_CHECKING:
    from ectopy.analysis import Analysis, Summary
    from ectopy.beats import CLASSES, BeatTable, ReferenceBeats
    from ectopy.errors import EctopyError
    from ectopy.inference.all_leads import analyze_leads
    from ectopy.inference.analyze import analyze
    from ectopy.inference.finder import BeatFinder, detect_beats
    from ectopy.inference.finder_stream import BeatStream
    from ectopy.inference.found_beats import FoundBeats
    from ectopy.inference.stream import Stream
    from ectopy.readers import open_recording, read, read_annotations
    from ectopy.recording import Recording
    from ectopy.writers import write_all

_HOME = {
    "Analysis": "ectopy.analysis",
    "Summary": "ectopy.analysis",
    "CLASSES": "ectopy.beats",
    "BeatTable": "ectopy.beats",
    "ReferenceBeats": "ectopy.beats",
    "EctopyError": "ectopy.errors",
    "analyze": "ectopy.inference.analyze",
    "analyze_leads": "ectopy.inference.all_leads",
    "open_recording": "ectopy.readers",
    "read": "ectopy.readers",
    "read_annotations": "ectopy.readers",
    "Recording": "ectopy.recording",
    "BeatFinder": "ectopy.inference.finder",
    "BeatStream": "ectopy.inference.finder_stream",
    "Stream": "ectopy.inference.stream",
    "FoundBeats": "ectopy.inference.found_beats",
    "detect_beats": "ectopy.inference.finder",
    "write_all": "ectopy.writers",
}

__all__ = [
    "CLASSES",
    "Analysis",
    "BeatFinder",
    "BeatStream",
    "BeatTable",
    "EctopyError",
    "FoundBeats",
    "Recording",
    "ReferenceBeats",
    "Stream",
    "Summary",
    "__version__",
    "analyze",
    "analyze_leads",
    "detect_beats",
    "open_recording",
    "read",
    "read_annotations",
    "write_all",
]


def __getattr__(name: str) -> object:
    # Looked up on first use, so that `import ectopy` loads neither NumPy nor a network runtime.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOME[name]), name)
