"""Figures of a comparison, made from its results and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ectopy.errors import OutputError
from ectopy.evaluation.compare_curve_plots import (
    draw_precision_recall,
    draw_reliability,
    draw_risk_coverage,
    draw_roc,
    draw_training,
)
from ectopy.evaluation.compare_score_plots import (
    draw_confusion,
    draw_efficiency,
    draw_f1,
    draw_radar,
)
from ectopy.evaluation.figure_style import DPI, LOOKS, plain_settings
from ectopy.writers.output import staging

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

FIGURES: dict[str, Callable[[Mapping[str, Any]], Figure | None]] = {
    "confusion_matrices": draw_confusion,
    "f1_per_class": draw_f1,
    "roc": draw_roc,
    "precision_recall": draw_precision_recall,
    "radar": draw_radar,
    "efficiency": draw_efficiency,
    "training_curves": draw_training,
    "reliability": draw_reliability,
    "risk_coverage": draw_risk_coverage,
}
"""By name of the file, without .png; what has nothing to draw gives None."""


def write_figures(results: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Draw every figure as PNG, or none.

    Parameters
    ----------
    results : mapping
        What `ectopy.evaluation.compare.compare_runs` gives.
    folder : path
        Made where it is missing.

    Returns
    -------
    list of Path
        The files: those of `FIGURES`, but for training curves where no run has noted any epoch.

    Raises
    ------
    OutputError
        If there are more than six models, or the files cannot be written.
    """
    if len(results["models"]) > len(LOOKS):
        msg = (
            f"{len(results['models'])} models cannot be told apart in one figure; "
            f"compare {len(LOOKS)} at most"
        )
        raise OutputError(msg)
    target = Path(folder)
    names = []
    with staging(target, make=True) as staged, plain_settings():
        for name, draw in FIGURES.items():
            figure = draw(results)
            if figure is not None:
                figure.savefig(staged / f"{name}.png", dpi=DPI, metadata={"Software": "ectopy"})
                names.append(f"{name}.png")
    return [target / name for name in names]
