"""Products of matrices that stay in the thread that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 1 << 18
"""Multiplications in one product up to which OpenBLAS, in NumPy's packages, starts no threads. With
more it does, and beside threads of our own these mostly wait for each other, at full load."""


def product(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply rows with a matrix, a few rows at a time.

    Parameters
    ----------
    rows : ndarray of float32, shape (rows, n)
        In one piece of memory, or a copy is made.
    matrix : ndarray of float32, shape (n, columns)

    Returns
    -------
    ndarray of float32, shape (rows, columns)

    Examples
    --------
    >>> product(np.float32([[1, 2], [3, 4]]), np.float32([[1], [10]])).tolist()
    [[21.0], [43.0]]
    """
    n_rows, n = rows.shape
    at_once = max(2, MOST // max(1, matrix.size))
    whole = n_rows - n_rows % at_once
    found = np.empty((n_rows, matrix.shape[1]), dtype=np.float32)
    rows = np.ascontiguousarray(rows)
    stacked = rows[:whole].reshape(-1, at_once, n)
    np.matmul(stacked, matrix, out=found[:whole].reshape(-1, at_once, matrix.shape[1]))
    np.matmul(rows[whole:], matrix, out=found[whole:])
    return found
