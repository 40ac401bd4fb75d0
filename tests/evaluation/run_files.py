"""Files of a kept run, changed as tests need them."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from ectopy.evaluation.run_notes import RUN_FILE
from ectopy.evaluation.runs import PREDICTIONS_FILE

FACTS = (
    "model", "protocol", "seed", "parameters", "multiply_adds", "weights_sha256", "code_version",
    "selected_by", "selected_value", "temperature", "epochs",
)  # fmt: skip


def rewrite(folder, **changes) -> None:
    notes = json.loads((folder / RUN_FILE).read_text())
    for key, value in changes.items():
        if value is ...:
            del notes[key]
        else:
            notes[key] = value
    (folder / RUN_FILE).write_text(json.dumps(notes))


def rewrite_arrays(folder, **changes) -> None:
    """Change arrays, and the hash, so that only the content can be what is wrong."""
    path = folder / PREDICTIONS_FILE
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | changes
    np.savez_compressed(path, **{name: a for name, a in arrays.items() if a is not None})
    rewrite(folder, predictions_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
