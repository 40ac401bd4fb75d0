"""Results that others published on the very beats of a protocol, with where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.beats import CLASSES
from ectopy.evaluation.compare_scores import RATES, WHOLE
from ectopy.evaluation.metrics import matrix_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the model card prints, and nothing that can be reckoned from its confusion matrices.
_SOURCE = (
    "model card of the published CNN+MLP and CNN+KAN beat classifiers, one seed; milliseconds on "
    "its authors' CPU, batches of 128"
)
_INTRA: tuple[dict[str, Any], ...] = (
    {
        "name": "CNN+MLP, published",
        "model": "cnn-mlp",
        "parameters": 175_973,
        "macro_auc": 0.9965,
        "ms_per_beat": 0.3664,
        "confusion_matrix": [
            [13348, 139, 52, 38, 12],
            [34, 380, 3, 0, 0],
            [15, 1, 1054, 15, 0],
            [8, 0, 6, 107, 0],
            [3, 0, 1, 1, 1201],
        ],
        "source": _SOURCE,
    },
    {
        "name": "CNN+KAN, published",
        "model": "cnn-kan",
        "parameters": 285_280,
        "macro_auc": 0.9924,
        "ms_per_beat": 0.6308,
        "confusion_matrix": [
            [12812, 498, 169, 74, 36],
            [22, 390, 3, 2, 0],
            [9, 1, 1053, 22, 0],
            [11, 1, 9, 100, 0],
            [1, 0, 3, 0, 1202],
        ],
        "source": _SOURCE,
    },
)


def published_results(protocol: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give what others published under a protocol, if the beats are the same.

    Parameters
    ----------
    protocol : str
    counts : mapping of str to int
        Test beats of each class.

    Returns
    -------
    list of dict
        ``name``, ``model`` (whose architecture it is), ``parameters``, ``macro_auc``,
        ``ms_per_beat``, ``confusion_matrix``, ``source``, and what follows from the matrix:
        ``accuracy``, ``macro_f1``, ``macro_f1_nsvf``, ``weighted_f1`` and ``per_class``. Empty
        where nothing is known, or it is about other beats.
    """
    if protocol != "intra":
        return []
    return [
        one | _scores(np.array(one["confusion_matrix"]))
        for one in _INTRA
        if [sum(row) for row in one["confusion_matrix"]] == [counts[name] for name in CLASSES]
    ]


def _scores(matrix: Any) -> dict[str, Any]:
    scores = matrix_scores(matrix)
    return {
        **{key: float(scores[key]) for key in WHOLE},
        "per_class": {
            name: {
                "n": int(matrix[c].sum()),
                **{rate: float(scores[rate][c]) for rate in RATES},
            }
            for c, name in enumerate(CLASSES)
        },
    }
