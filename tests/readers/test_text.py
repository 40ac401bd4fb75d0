"""Tables as text: every way they are written, as exact numbers."""

from __future__ import annotations

import tempfile
import tracemalloc
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import APPLE, APPLE_GERMAN, check_parts

from ectopy.readers import text_bytes
from ectopy.readers.text import is_text, open_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ectopy.readers.spool import SpooledSource

Open = "Callable[..., SpooledSource]"


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., SpooledSource]:
    def write(text: str, encoding: str = "utf-8", **options: Any) -> SpooledSource:
        path = tmp_path / "rec.csv"
        path.write_bytes(text.encode(encoding))
        return open_text(path, **options)

    return write


def check(source: SpooledSource, fs: float, leads: tuple[str, ...], rows: list[list[float]]):
    assert (source.fs, source.leads, source.n_samples) == (fs, leads, len(rows))
    np.testing.assert_array_equal(source.read(), np.array(rows, dtype=np.float32))
    assert source.name == "rec"


PLAIN = [[0.123, -0.456], [0.2, 0.3], [-1.0, 0.5]]


@pytest.mark.parametrize(
    "text",
    [
        "0.123,-0.456\n0.2,0.3\n-1,.5\n",
        "0.123, -0.456 \n0.2 ,0.3\n-1,5e-1",
        "0.123;-0.456\n0.2;0.3\n-1;0.5\n",
        "0,123;-0,456\n0,2;0,3\n-1;0,5\n",
        "0.123\t-0.456\n0.2\t0.3\n-1\t0.5\n",
        "0,123\t-0,456\n0,2\t0,3\n-1\t0,5\n",
        "0.123|-0.456\n0.2|0.3\n-1|0.5\n",
        "0.123 -0.456\n0.2 0.3\n-1 0.5\n",
        "  0.123   -0.456\n 0.2\t0.3  \n-1 0.5\n",
        "0,123 -0,456\n0,2 0,3\n-1,0 0,5\n",
        '"0,123","-0,456"\n"0,2","0,3"\n-1,"0,5"\n',
        "'0.123','-0.456'\n'0.2','0.3'\n'-1','0.5'\n",
        "0.123,-0.456,\n0.2,0.3,\n-1,0.5,\n",
        "# a comment\n\n0.123,-0.456\n% another\n0.2,0.3\n\n// one more\n-1,0.5\n\n\n",
        "0.123,-0.456\r\n0.2,0.3\r\n-1,0.5\r\n",
        "0.123,-0.456\r0.2,0.3\r-1,0.5\r",
        "0.123,\N{MINUS SIGN}0.456\n0.2,0.3\n\N{MINUS SIGN}1,0.5\n",
    ],
)
def test_separators_decimal_marks_and_comments(opened, text):
    check(opened(text, fs=250, unit="mV"), 250.0, ("1", "2"), PLAIN)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_encodings(opened, encoding):
    source = opened("Größe II [µV];V1 [mV]\n100;0,5\n-200;1\n", encoding, fs=250)
    check(source, 250.0, ("Größe II", "V1"), [[0.1, 0.5], [-0.2, 1.0]])


@pytest.mark.parametrize("blocks", [1, 7, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_blocks_of_any_size_give_the_same(opened, monkeypatch, blocks, encoding):
    monkeypatch.setattr(text_bytes, "_BLOCK_BYTES", blocks)
    source = opened("t [ms];II [µV]\r\n0;100\r\n4;-\r\n8;300,5\r\n", encoding)
    check(source, 250.0, ("II",), [[0.1], [np.nan], [0.3005]])


@pytest.mark.parametrize(
    ("header", "leads", "factor"),
    [
        ("time,ECG [mV]", ("ECG",), 1),
        ("time,II (uV)", ("II",), 1e-3),
        ("time,ecg_uV", ("ecg",), 1e-3),
        ("time,V1/µV", ("V1",), 1e-3),
        ("time,aVR {V}", ("aVR",), 1e3),
        ("Zeit [s],EKG μV", ("EKG",), 1e-3),
        ("t,mV", ("1",), 1),
        ("# unit: uV\ntime,II", ("II",), 1e-3),
        ("# time,ECG [mV]", ("ECG",), 1),
        ("time,II\ns,uV", ("II",), 1e-3),
        ("'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'", ("MLII",), 1),
    ],
)
def test_units_in_the_header(opened, header, leads, factor):
    source = opened(f"{header}\n0,1\n0.004,2\n0.008,-3\n")
    check(source, 250.0, leads, [[1 * factor], [2 * factor], [-3 * factor]])


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1), ("uV", 1e-3), ("V", 1e3), (200, 1 / 200), ("200", 1 / 200)]
)
def test_units_that_are_given(opened, unit, factor):
    check(opened("II\n7\n-3\n", fs=100, unit=unit), 100.0, ("II",), [[7 * factor], [-3 * factor]])


def test_millivolts_are_taken_where_plausible(opened):
    beats = "0\n0.02\n1.1\n-0.2\n0\n" * 100
    assert opened("II\n" + beats, fs=100).read(2, 3)[0, 0] == np.float32(1.1)


def test_missing_samples(opened):
    cells = ["", "nan", "NaN", "NA", "N/A", "-", "--", "null", "None", "inf", "-Infinity", "?"]
    source = opened("I,II\n" + "".join(f"{cell},1\n" for cell in cells), fs=100, unit="mV")
    assert source.leads == ("I", "II")
    assert np.isnan(source.read()[:, 0]).all()
    assert (source.read()[:, 1] == 1).all()


def test_a_lead_may_be_missing_for_as_long_as_one_looks(opened):
    rows = "".join(f"{number / 250:.3f},0.5,\n" for number in range(3000))
    source = opened("time,II [mV],V1 [mV]\n" + rows + "12.000,0.5,0.25\n")
    assert source.leads == ("II", "V1")
    assert np.isnan(source.read(0, 3000)[:, 1]).all()
    assert source.read(3000)[0].tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("columns", "leads", "row"),
    [
        (["II"], ("II",), [2]),
        (["v1", "II"], ("V1", "II"), [3, 2]),
        (["V1 (mV)"], ("V1",), [3]),
        ([3], ("HR",), [60]),
        (["1", 2], ("II", "V1"), [2, 3]),
        ([np.int64(2)], ("V1",), [3]),
        (None, ("II", "V1"), [2, 3]),
    ],
)
def test_columns_that_are_asked_for(opened, columns, leads, row):
    text = "time,II (mV),V1 (mV),HR\n0,2,3,60\n0.01,2,3,60\n"
    check(opened(text, columns=columns, unit="mV"), 100.0, leads, [row, row])


@pytest.mark.parametrize(
    ("header", "leads"),
    [
        ("time,HR [bpm],Temp [°C],Herz", ("Herz",)),
        ("time,resp,label,II", ("II",)),
        ("time,sample,patient,II", ("II",)),
        ("time,a,b,c", ("a", "b", "c")),
        ("time,II,II,II", ("II", "II-2", "II-3")),
    ],
)
def test_which_columns_are_leads(opened, header, leads):
    assert opened(f"{header}\n0,1,2,3\n0.01,4,5,6\n", unit="mV").leads == leads


def test_columns_of_labels_are_left_out(opened):
    source = opened("t,label,ECG\n0,N,0.1\n0.01,N,0.2\n0.02,V,0.3\n", unit="mV")
    check(source, 100.0, ("ECG",), [[0.1], [0.2], [0.3]])


APPLE_ROWS = [[-0.048673], [-0.059681], [0.1], [0.0005]]


@pytest.mark.parametrize(
    "text",
    [
        APPLE,
        APPLE.replace("\n", "\r\n"),
        APPLE_GERMAN + '"-48,673"\n"-59,681"\n100\n"0,5"\n',
        APPLE_GERMAN + "-48,673\n-59,681\n100\n0,5\n",
        APPLE_GERMAN.replace(",", ";").replace("512;5", "512,5").replace("6;1", "6,1")
        + "-48,673\n-59,681\n100\n0,5\n",
    ],
)
def test_an_export_of_a_watch(opened, text):
    source = opened(text)
    check(source, 512.5, ("I",), APPLE_ROWS)
    assert source.start == datetime(2020, 5, 4, 10, 11, 12)
    assert dict(source.notes) == {
        "device": "Watch6,1", "software": "1.90", "utc offset": "+02:00",
    }  # fmt: skip


FRENCH = """Nom,Jane Doe
Date de naissance,"5 févr. 1952"
Date d'enregistrement,2020-05-04 10:11:12 +0200
Classification,Rythme sinusal
Symptômes,
Version du logiciel,1.90
Appareil,"Watch6,1"
Fréquence d'échantillonnage,512 hertz


Dérivation,Dérivation I
Unité,µV

"""


@pytest.mark.parametrize("header", [APPLE[: APPLE.index("-48.673")], APPLE_GERMAN, FRENCH])
@pytest.mark.parametrize(
    ("said", "fs"),
    [
        ("512 hertz", 512), ("512.5 hertz", 512.5), ("512,5 hertz", 512.5),
        ("512.844 Hertz", 512.844), ('"513,384 hertz"', 513.384), ("512 Hz", 512),
    ],
)  # fmt: skip
@pytest.mark.parametrize("decimal", [".", ","])
def test_exports_of_a_watch_in_any_country(opened, header, said, fs, decimal):
    for own in ("512.5 hertz", '"512,5 Hertz"', "512 hertz"):
        header = header.replace(own, said)
    source = opened(header + "-48.673\n-59.681\n100\n0.5\n".replace(".", decimal))
    check(source, fs, ("I",), APPLE_ROWS)
    assert source.start == datetime(2020, 5, 4, 10, 11, 12)


def test_a_table_may_follow_lines_as_a_watch_writes_them(opened):
    table = "Sample,Amplitude\n0,100\n1,-50\n2,25\n"
    source = opened(APPLE.replace("-48.673\n-59.681\n100\n0.5\n", table))
    check(source, 512.5, ("Amplitude",), [[0.1], [-0.05], [0.025]])


@pytest.mark.parametrize("text", [APPLE, APPLE_GERMAN + "1\n2\n3,5\n"])
@pytest.mark.parametrize("device", ["Watch6,1", "Jane Doe's Watch"])
def test_the_patient_is_named_nowhere(opened, text, device):
    source = opened(text.replace("Watch6,1", device))
    kept = repr(source) + repr(vars(source)) + repr(source.recording())
    for secret in ("Jane", "Doe", "1952", "Feb 5", "05.02"):
        assert secret not in kept


def test_the_patient_is_no_lead(opened):
    assert opened("Name,Jane Doe\n0.1,0.5\n0.2,0.6\n", fs=100, unit="mV").leads == ("1", "2")
    text = "Patient,Jane Doe,1952-02-05\n0.1,0.5,1\n0.2,0.6,1\n"
    assert opened(text, fs=100, unit="mV").leads == ("1", "2", "3")


@pytest.mark.parametrize(
    ("line", "fs"),
    [
        ("# fs = 250", 250), ("# Sampling rate: 500 Hz", 500), ("% fréq. d'échantillon,1000", 1000),
        ("// SAMPLING FREQUENCY: 1 kHz", 1000), ("# Sample_Rate\t128", 128), ("fs;360", 360),
        ("# low pass filter: 100 Hz\n# fs: 250 Hz", 250), ("Частота,300 герц", 300),
    ],
)  # fmt: skip
def test_sampling_frequencies_before_the_table(opened, line, fs):
    assert opened(f"{line}\nII [mV]\n0.5\n1\n").fs == fs


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0,5\n0,25\n-0,125\n", [[0.5], [0.25], [-0.125]]),
        ("0,0625\n12,5\n1,5\n", [[0.0625], [12.5], [1.5]]),
        ("II\n0,5\n12\n-0,125\n", [[0.5], [12], [-0.125]]),
        ("5,6\n7,8\n9,1\n", [[5, 6], [7, 8], [9, 1]]),
        ("I,II\n0,5\n0,25\n0,125\n", [[0, 5], [0, 25], [0, 125]]),
        ("0,-5\n0,25\n1,7\n", [[0, -5], [0, 25], [1, 7]]),
    ],
)
def test_one_number_with_a_comma_or_two_numbers(opened, text, rows):
    assert opened(text, fs=100, unit="mV").read().tolist() == rows


def test_parts_are_those_of_the_whole(opened):
    random = np.random.default_rng(1)
    values = random.normal(0, 0.5, (5000, 3))
    lines = [f"{a:.4f};{b:.4f};{c:.4f}" for a, b, c in values]
    source = opened("I;II;V1\n" + "\n".join(lines), fs=250)
    np.testing.assert_allclose(source.read(), values, atol=6e-5)
    check_parts(source)


NUMBERS = st.decimals(-20, 20, places=3, allow_nan=False, allow_infinity=False)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=12),
    separator=st.sampled_from([",", ";", "\t", "|", " "]),
    decimal=st.sampled_from([".", ","]),
    header=st.booleans(),
    unit=st.sampled_from(["mV", "uV", "V"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
def test_what_is_written_is_read(
    tmp_path, rows, separator, decimal, header, unit, ending, encoding
):
    if separator == ",":
        decimal = "."
    lines = [separator.join(f"{cell:f}".replace(".", decimal) for cell in row) for row in rows]
    if header:
        lines.insert(0, separator.join([f"II[{unit}]", f"V1[{unit}]"]))
    path = tmp_path / "rec.csv"
    path.write_bytes((ending.join(lines) + ending).encode(encoding))
    source = open_text(path, fs=250, unit=None if header else unit)
    assert source.leads == (("II", "V1") if header else ("1", "2"))
    factor = {"mV": 1, "uV": 1e-3, "V": 1e3}[unit]
    np.testing.assert_allclose(source.read(), np.array(rows, dtype=float) * factor, rtol=1e-6)


def test_nothing_is_left_in_the_temporary_folder(opened, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    source = opened("II\n0.5\n1\n", fs=100, unit="mV")
    assert source.read().tolist() == [[0.5], [1.0]]
    del source
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_text_is_known_by_its_content(encoding):
    assert is_text(APPLE_GERMAN.encode(encoding))
    assert is_text("time,ECG\n0,1\n".encode(encoding))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"words alone",
        b"<?xml version='1.0'?>",
        b'{"fs": 250}',
        b"1\x00\x02",
        b"\x93NUMPY\x01\x00v\x00{",
    ],
)
def test_what_is_no_table_is_known_by_its_content(head):
    assert not is_text(head)


def test_long_tables_cost_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(text_bytes, "_BLOCK_BYTES", 64 * 1024)
    path = tmp_path / "rec.csv"
    row = "0.25,-0.5\n" * 10_000
    with path.open("w") as file:
        for _ in range(60):
            file.write(row)
    tracemalloc.start()
    source = open_text(path, fs=250, unit="mV")
    assert source.read(599_000).shape == (1000, 2)
    assert tracemalloc.get_traced_memory()[1] < 6e6
    tracemalloc.stop()
    assert source.n_samples == 600_000
