"""Each format of tables is known by its first bytes, whatever the file is called."""

from __future__ import annotations

import io

import numpy as np
import pytest
from table_files import APPLE

from ectopy.readers.aecg import is_aecg
from ectopy.readers.arrays import is_npy, is_npz
from ectopy.readers.parquet import is_parquet
from ectopy.readers.text import is_text

KNOWN = {"text": is_text, "aecg": is_aecg, "npy": is_npy, "npz": is_npz, "parquet": is_parquet}


def npy() -> bytes:
    stored = io.BytesIO()
    np.save(stored, np.zeros((100, 2)))
    return stored.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stored = io.BytesIO()
    np.savez_compressed(stored, **arrays)
    return stored.getvalue()


HEADS = [
    (APPLE.encode(), {"text"}),
    (b"0.1 0.2\r0.3 0.4\r", {"text"}),
    ("Größe;II\n0;1\n".encode("utf-16"), {"text"}),
    (b'<?xml version="1.0"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3">\n', {"aecg"}),
    (b"<h:AnnotatedECG>1\n2\n", {"aecg"}),
    (npy(), {"npy"}),
    (npz(signal=np.zeros(9)), {"npz"}),
    (b"PAR1\x15\x00", {"parquet"}),
    (b"", set()),
    (b"0       X X X X" + b" " * 241, set()),  # EDF
    (b"\xffBIOSEMI" + b"1 2 3   " * 100, set()),  # BDF
    (b"<html><body>1,2\n3,4</body></html>", set()),
    (b'{"fs": 250,\n"ecg": [1, 2]}', set()),
    (b"PK\x03\x04" + bytes(22) + b"\x09\x00\x00\x00word/a.xm", set()),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), set()),
    (b"words\nalone\n", set()),
]


@pytest.mark.parametrize(("head", "formats"), HEADS)
def test_one_format_or_none(head, formats):
    assert {name for name, known in KNOWN.items() if known(head)} == formats


@pytest.mark.parametrize("head", [head for head, _ in HEADS])
def test_a_head_that_is_cut_anywhere_is_no_error(head):
    for length in range(len(head)):
        assert sum(known(head[:length]) for known in KNOWN.values()) <= 1
