"""Beats as a Parquet table, for archives and data frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ectopy.analysis import BEAT_COLUMNS, beat_columns
from ectopy.errors import OutputError
from ectopy.mapped import pieces
from ectopy.writers.output import file_stem, staging
from ectopy.writers.tables import head

if TYPE_CHECKING:
    import os

    from ectopy.analysis import Analysis

METADATA = b"ectopy"
"""Key of the file's metadata that holds the analysis without its beats, as JSON."""

_ROWS = 131_072  # of a row group


def write_parquet(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Write one row a beat as Parquet, with everything else of the analysis in its metadata.

    Columns are those of the CSV file, see `ectopy.analysis.beat_rows`: `beat` and `sample` int64,
    `time_s` and `rr_s` float64, `class` a dictionary of strings, the others float32. The `rr_s` of
    the first beat, and confidence and probabilities of a beat that is not classed, are null.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.parquet`.

    Raises
    ------
    OutputError
        If pyarrow is missing, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        msg = "Parquet is written with pyarrow, which is missing; install it: pip install pyarrow"
        raise OutputError(msg) from error

    kinds = dict.fromkeys(BEAT_COLUMNS, pa.float32())
    kinds |= {"beat": pa.int64(), "sample": pa.int64(), "time_s": pa.float64()}
    kinds |= {"rr_s": pa.float64(), "class": pa.dictionary(pa.int8(), pa.string())}
    about = json.dumps(head(analysis), allow_nan=False).encode()
    schema = pa.schema(list(kinds.items()), metadata={METADATA: about})
    name = f"{file_stem(analysis.recording)}.parquet"
    with (
        staging(folder) as staged,
        parquet.ParquetWriter(staged / name, schema, compression="zstd") as writer,
    ):
        for rows in pieces(len(analysis.beats), _ROWS):
            columns = beat_columns(analysis.beats, rows)
            columns["class"] = columns["class"].astype(object)
            arrays = [pa.array(columns[key], kind, from_pandas=True) for key, kind in kinds.items()]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return Path(folder) / name
