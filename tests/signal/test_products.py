"""Products of matrices, a few rows at a time."""

from __future__ import annotations

import numpy as np
import pytest

from ectopy.signal.products import MOST, product


@pytest.mark.parametrize("n_rows", [0, 1, 35, 36, 300])
@pytest.mark.parametrize("shape", [(74, 100), (360, 18), (2, MOST)])
def test_a_product_is_that_of_numpy(n_rows, shape):
    rng = np.random.default_rng(0)
    if shape[1] == MOST:
        n_rows = min(n_rows, 5)
    rows = rng.normal(size=(n_rows, shape[0])).astype(np.float32)
    matrix = rng.normal(size=shape).astype(np.float32)
    found = product(rows, matrix)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rows.astype(float) @ matrix, atol=1e-4)
