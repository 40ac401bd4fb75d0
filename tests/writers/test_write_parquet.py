"""Parquet tables, read back with pyarrow."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ectopy.errors import OutputError
from ectopy.writers import write_csv, write_json
from ectopy.writers.parquet import METADATA, write_parquet

parquet = pytest.importorskip("pyarrow.parquet")


def test_columns_are_those_of_the_csv_file(make_analysis, tmp_path: Path) -> None:
    analysis = make_analysis("NSVFQN")
    table = parquet.read_table(write_parquet(analysis, tmp_path))
    with write_csv(analysis, tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    assert table["class"].to_pylist() == [row["class"] for row in rows]
    assert table["sample"].to_pylist() == [int(row["sample"]) for row in rows]
    assert table["rr_s"].to_pylist()[0] is None
    np.testing.assert_allclose(table["rr_s"].to_pylist()[1:], [float(r["rr_s"]) for r in rows[1:]])
    np.testing.assert_allclose(table["p_V"].to_pylist(), [float(r["p_V"]) for r in rows], rtol=1e-5)


def test_metadata_hold_the_rest_of_the_json_file(make_analysis, tmp_path: Path) -> None:
    analysis = make_analysis("NV")
    metadata = parquet.read_schema(write_parquet(analysis, tmp_path)).metadata
    whole = json.loads(write_json(analysis, tmp_path).read_text())
    del whole["beats"]
    assert json.loads(metadata[METADATA]) == whole


def test_more_beats_than_a_row_group(make_analysis, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ectopy.writers.parquet._ROWS", 3)
    file = write_parquet(make_analysis("NSVFQNNN"), tmp_path)
    assert parquet.ParquetFile(file).num_row_groups == 3
    table = parquet.read_table(file)
    assert table["beat"].to_pylist() == list(range(8))
    assert table["rr_s"].null_count == 1


def test_no_beat_at_all(make_analysis, tmp_path: Path) -> None:
    assert parquet.read_table(write_parquet(make_analysis(""), tmp_path)).num_rows == 0


def test_without_pyarrow_it_is_said(make_analysis, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OutputError, match="install it: pip install pyarrow"):
        write_parquet(make_analysis("N"), tmp_path)
    assert list(tmp_path.iterdir()) == []
