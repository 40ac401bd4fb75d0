"""Keep what a trained model said of each test beat, with what its run left beside it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from ectopy._version import code_version
from ectopy.errors import RunError
from ectopy.evaluation.runs import RunResult

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ectopy.data.protocols import BeatSet
    from ectopy.models.bundle import Bundle

_COLUMNS = ("epoch", "train_loss", "val_loss", "val_macro_f1")


def run_result(
    bundle: Bundle, protocol: str, test: BeatSet, probabilities: NDArray[np.float32]
) -> RunResult:
    """Put a bundle's predictions together with what is known of its training run.

    Parameters
    ----------
    bundle : Bundle
        In its run's folder the table of epochs is found as well; elsewhere there is none.
    protocol : str
        Protocol whose test part the beats are.
    test : BeatSet
    probabilities : ndarray of float32, shape (beats, 5)
        As the bundle gives them, at its temperature.

    Returns
    -------
    RunResult

    Raises
    ------
    RunError
        If the run's table of epochs is damaged.
    """
    training = bundle.config["training"]
    return RunResult(
        model=bundle.config["model"],
        protocol=protocol,
        seed=int(training["seed"]),
        records=test.records,
        peaks=test.peaks,
        classes=test.classes,
        probabilities=probabilities,
        parameters=bundle.n_parameters,
        multiply_adds=bundle.multiply_adds,
        weights_sha256=bundle.weights_sha256,
        code_version=code_version(),
        selected_by=str(training["selected_by"]),
        selected_value=training["selected_value"],
        temperature=bundle.temperature,
        epochs=read_epochs(bundle.folder.parent / "logs" / "metrics.csv"),
    )


def read_epochs(file: Path) -> tuple[dict[str, float], ...]:
    """Read a training run's table of epochs; none where there is no such file.

    Raises
    ------
    RunError
        If it is damaged.
    """
    if not file.is_file():
        return ()
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        return tuple({name: float(row[name]) for name in _COLUMNS if row.get(name)} for row in rows)
    except (OSError, ValueError, csv.Error) as error:
        msg = f"the run's table of epochs {str(file)!r} cannot be read ({error}); "
        raise RunError(msg + "train again, or move the bundle away from it") from error
