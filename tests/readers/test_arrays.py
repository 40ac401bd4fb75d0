"""Recordings that were saved with NumPy, and what only looks like them."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import check_parts, either_or, refusal

from ectopy.errors import LeadNotFound, RecordingError, UnsupportedFormat
from ectopy.readers.arrays import is_npy, is_npz, open_array

if TYPE_CHECKING:
    from pathlib import Path

SIGNAL = np.random.default_rng(1).normal(0, 0.4, (3000, 3))
MV = SIGNAL.astype(np.float32)


@pytest.fixture
def npy(tmp_path: Path):
    def write(array: Any) -> Path:
        np.save(tmp_path / "rec.npy", array)
        return tmp_path / "rec.npy"

    return write


@pytest.fixture
def npz(tmp_path: Path):
    def write(**arrays: Any) -> Path:
        np.savez_compressed(tmp_path / "rec.npz", **arrays)
        return tmp_path / "rec.npz"

    return write


@pytest.mark.parametrize(
    "array",
    [
        SIGNAL,
        SIGNAL.T,
        np.asfortranarray(SIGNAL),
        SIGNAL.astype(">f8"),
        SIGNAL.astype(np.longdouble),
        SIGNAL[np.newaxis],
        SIGNAL.T[:, np.newaxis],
    ],
)
def test_arrays_of_any_layout(npy, array):
    source = open_array(npy(array), fs=250, unit="mV")
    assert (source.name, source.fs, source.leads) == ("rec", 250.0, ("1", "2", "3"))
    np.testing.assert_array_equal(source.read(), MV)
    check_parts(source)


@pytest.mark.parametrize("shape", [(3000,), (1, 3000), (3000, 1), (1, 1, 3000)])
def test_one_lead(npy, shape):
    source = open_array(npy(SIGNAL[:, 0].reshape(shape)), fs=250, unit="mV")
    np.testing.assert_array_equal(source.read(), MV[:, :1])


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i2", "<u2", "<i4", ">i8"])
def test_counts(npy, dtype):
    digital = np.arange(100, dtype=dtype)
    source = open_array(npy(digital), fs=250, unit=200)
    np.testing.assert_array_equal(source.read()[:, 0], (np.arange(100) / 200).astype(np.float32))


def test_what_stands_beside_the_samples(npz):
    path = npz(
        signal=SIGNAL * 1000,
        fs=np.float64(360),
        leads=["II", "V1", "Größe"],
        units="uV",
        start="2020-05-04T10:11:12.500+02:00",
        patient="Jane Doe",
    )
    source = open_array(path)
    assert (source.fs, source.leads) == (360.0, ("II", "V1", "Größe"))
    assert source.start == datetime(2020, 5, 4, 10, 11, 12, 500_000)
    assert source.notes == {"utc offset": "+02:00"}
    np.testing.assert_allclose(source.read(), MV, rtol=1e-6)
    assert "Jane" not in repr(vars(source))
    check_parts(source)


@pytest.mark.parametrize(
    ("arrays", "options"),
    [
        ({"ecg_mv": SIGNAL, "sampling_rate": 250}, {}),
        ({"ecg": SIGNAL.T, "fs": [250], "labels": [1, 2]}, {"unit": "mV"}),
        ({"anything": SIGNAL}, {"fs": 250}),
        ({"x": SIGNAL, "y": np.arange(9), "fs": "250"}, {"unit": "mV", "fs": 250.0}),
        ({"SIGNAL": SIGNAL, "Fs": 250, "Unit": "mV"}, {"unit": "mV"}),
    ],
)
def test_names_of_arrays(npz, arrays, options):
    source = open_array(npz(**arrays), **options)
    assert source.fs == 250.0
    np.testing.assert_array_equal(source.read(), MV)


def test_names_tell_the_leads_where_samples_are_few(npz):
    source = open_array(npz(ecg=SIGNAL[:2], leads=["I", "II", "V1"], fs=100, unit="mV"))
    assert (source.leads, source.n_samples) == (("I", "II", "V1"), 2)
    source = open_array(npz(ecg=SIGNAL[:3], leads=["I", "I", ""], fs=100, unit="mV"))
    assert (source.leads, source.n_samples) == (("I", "I-2", "3"), 3)


def test_columns(npz):
    path = npz(ecg=SIGNAL, leads=["II", "ART", "V1"], fs=100, units=["mV", "mmHg", "V"])
    source = open_array(path)
    assert source.leads == ("II", "V1")
    np.testing.assert_allclose(source.read(), SIGNAL[:, [0, 2]] * [1, 1000], rtol=1e-6)
    source = open_array(path, columns=["v1", 0])
    assert source.leads == ("V1", "II")
    message = "rec.npz has no column 'V9'; it has: II, ART, V1"
    assert refusal(open_array, path, LeadNotFound, columns=["V9"]) == message


def test_missing_samples(npy):
    values = np.array([0.1, np.nan, np.inf, -np.inf, 1e300, -0.5])
    expected = np.array([0.1, np.nan, np.nan, np.nan, np.nan, -0.5], np.float32)
    np.testing.assert_array_equal(open_array(npy(values), fs=100, unit="mV").read()[:, 0], expected)


def test_parts_cost_no_memory(tmp_path):
    path = tmp_path / "rec.npy"
    shape = (20_000_000, 2)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 8 * shape[0])  # a file with a hole
    tracemalloc.start()
    source = open_array(path, fs=250, unit="mV")
    assert source.read(19_999_000).shape == (1000, 2)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def promise(shape: str, descr: str = "<f4", version: int = 1, rest: bytes = b"") -> bytes:
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    padded = header.encode().ljust(117) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(padded))
    return b"\x93NUMPY" + bytes([version, 0]) + length + padded + rest


@pytest.mark.parametrize("form", ["npy", "npz"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (promise("(1000000000000,)"), "promises an array of 1000000000000 of 4 bytes each, but"),
        (promise("(1000000000, 2, 9000000000)"), "promises an array of 1000000000 x 2 x 90000000"),
        (promise(f"({'9' * 90},)"), "promises an array of 1e+90 of 4 bytes each, but"),
        (promise("(3000, 2)", rest=bytes(23_999)), "but holds 23999 bytes; get the file again"),
        (promise("(-5,)"), "promises an array of -5 of 4 bytes"),
        (promise("(0,)"), "holds an array of shape (0,); there is nothing to read"),
        (promise("(5, 0)"), "holds an array of shape (5, 0); there is nothing to read"),
        (promise("(5,)", "|O"), "holds Python objects, which are not read because"),
        (promise("(2,)", "<c8", rest=bytes(16)), "an array of complex64; expected real numbers"),
        (promise("(2,)", "<U4", rest=bytes(32)), "an array of <U4; expected real numbers"),
        (promise("(2,)", "|b1", rest=bytes(2)), "an array of bool; expected real numbers"),
        (promise("(2,)", "<M8[s]", rest=bytes(16)), "datetime64[s]; expected real numbers"),
        (promise("'many'"), "has a damaged header, or none that is read; save the array again"),
        (promise("(2,)", "<f5"), "has a damaged header, or none that is read"),
        (promise("(2,)", version=9), "has a damaged header, or none that is read"),
        (promise("__import__('os')"), "has a damaged header, or none that is read"),
        (promise("(2,)")[:40], "has a damaged header, or none that is read"),
        (b"\x93NUMPY", "has a damaged header, or none that is read"),
    ],
)
def test_headers_are_not_believed(tmp_path, form, content, message):
    path = tmp_path / f"rec.{form}"
    if form == "npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("signal.npy", content)
    assert message in refusal(open_array, path, fs=250, unit="mV")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((), "has shape (); expected (samples, leads) or (leads, samples): a recording has"),
        ((1,), "has shape (1,); expected (samples, leads) or (leads, samples): a recording has"),
        ((5, 3, 2), "has shape (5, 3, 2); expected (samples, leads) or (leads, samples): choose"),
        ((12, 12), "has shape (12, 12), which does not tell time from leads; reshape it"),
        ((300, 400), "has shape (300, 400), which does not tell time from leads; reshape it"),
    ],
)
def test_shapes_of_no_recording(npy, shape, message):
    assert message in refusal(open_array, npy(np.zeros(shape)), fs=250, unit="mV")


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (SIGNAL, {}, "rec.npy does not say its sampling frequency; give it in Hz with --fs"),
        (SIGNAL, {"fs": 2e5}, "rec.npy: the sampling frequency 200000 Hz given with --fs is"),
        (SIGNAL * 1000, {"fs": 250}, "rec.npy does not say its unit, and its values span "),
        (SIGNAL * 0, {"fs": 250}, "rec.npy does not say its unit, and its values do not change"),
        (np.arange(90), {"fs": 250}, "rec.npy holds whole numbers of unknown size; give the ADC"),
        (SIGNAL, {"fs": 250, "unit": "mmHg"}, "unit 'mmHg' is not known; give mV, uV, V or the"),
        (SIGNAL, {"fs": 250, "columns": [3]}, "rec.npy has no column 3; its columns are 0 to 2"),
        (SIGNAL, {"fs": 250, "columns": []}, "rec.npy: columns [] name none, or one twice"),
    ],
)  # fmt: skip
def test_what_has_to_be_given(npy, array, options, message):
    assert refusal(open_array, npy(array), **options).startswith(message)


def test_millivolts_are_taken_where_plausible(npy):
    np.testing.assert_array_equal(open_array(npy(SIGNAL), fs=250).read(), MV)


@pytest.mark.parametrize(
    ("beside", "options", "message"),
    [
        ({"fs": 250}, {"fs": 360}, "rec.npz: the sampling frequency 360 Hz given with --fs is"),
        ({"fs": 0}, {}, "rec.npz says fs = '0'; expected one number of Hz above 0"),
        ({"fs": [250, 360]}, {}, "rec.npz says fs = '250, 360'; expected one number of Hz above 0"),
        ({"fs": 1e9}, {}, "rec.npz: the sampling frequency 1e+09 Hz in the file is beyond any ECG"),
        ({"fs": np.array(None)}, {}, "rec.npz, 'fs.npy' holds Python objects, which are not read"),
        ({"fs": np.array(1 + 1j)}, {}, "rec.npz: 'fs.npy' holds complex128; expected names"),
        ({"units": "mV"}, {"unit": "uV"}, "rec.npz: the unit 'uV' given with --unit is not the mV"),
        ({"units": "furlong"}, {}, "rec.npz says that its unit is 'furlong'; expected mV, uV or V"),
        ({"leads": ["II", "V1"]}, {}, "rec.npz has 2 leads for 3 leads; give one for each"),
        ({"units": ["mV", "V"]}, {}, "rec.npz has 2 units for 3 leads; give one for each"),
        ({"leads": np.zeros(300_000)}, {}, "rec.npz: 'leads.npy' is far too large for what it is"),
        ({"leads": ["Name A", "Resp", "HR"], "units": ["l", "l", "bpm"]}, {}, "rec.npz has no"),
    ],
)  # fmt: skip
def test_what_stands_beside_is_checked(npz, beside, options, message):
    path = npz(**{"signal": SIGNAL, "fs": 250} | beside)
    assert refusal(open_array, path, **options).startswith(message)


def test_archives_without_a_signal(npz, tmp_path):
    message = "rec.npz holds the arrays a, b; call the one of samples 'signal'"
    assert refusal(open_array, npz(a=SIGNAL, b=SIGNAL)) == message
    path = tmp_path / "other.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert "is a zip of 0 arrays" in refusal(open_array, path, UnsupportedFormat)
    with zipfile.ZipFile(path, "w"):
        pass
    assert "is a zip of 0 arrays" in refusal(open_array, path, UnsupportedFormat)


def test_pickles_are_never_read(tmp_path, npy):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = npy(np.array([0.5, 1.0]))
    stored = io.BytesIO()
    np.save(stored, np.array([Trap()], dtype=object), allow_pickle=True)
    path.write_bytes(stored.getvalue())
    assert "holds Python objects" in refusal(open_array, path, fs=250)
    path.write_bytes(pickle.dumps(Trap()))
    assert "neither .npy nor .npz" in refusal(open_array, path, UnsupportedFormat, fs=250)


def test_a_header_as_python_2_wrote_it(tmp_path):
    path = tmp_path / "rec.npy"
    path.write_bytes(promise("(2L,)", rest=np.array([0.5, 1], "<f4").tobytes()))
    assert open_array(path, fs=250, unit="mV").read().tolist() == [[0.5], [1.0]]


def test_a_zip_that_unpacks_to_far_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("ectopy.readers.array_files._ALWAYS", 1000)
    path = tmp_path / "rec.npz"
    np.savez_compressed(path, signal=np.zeros(1_000_000))
    assert "as no ECG can be; save it with numpy.save" in refusal(open_array, path, fs=250)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(tmp_path, npy, packing):
    path = tmp_path / "rec.npz"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.write(npy(SIGNAL), "signal.npy")
    np.testing.assert_array_equal(open_array(path, fs=250, unit="mV").read(), MV)
    content = path.read_bytes()
    for place in range(60, len(content) - 200, len(content) // 20):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        refusal(open_array, path, fs=250, unit="mV")


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_files_that_are_cut_anywhere(npy, npz, form):
    path = npy(SIGNAL[:100]) if form == "npy" else npz(signal=SIGNAL[:100], fs=250)
    whole = path.read_bytes()
    for length in [*range(0, 200, 3), *range(200, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        kind = RecordingError if length == 0 or length > 5 else UnsupportedFormat
        refusal(open_array, path, kind, fs=250, unit="mV")


NPY, NPZ = io.BytesIO(), io.BytesIO()
np.save(NPY, SIGNAL[:40])
np.savez_compressed(NPZ, signal=SIGNAL[:40], fs=250, leads=["I", "II", "III"])


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    whole=st.sampled_from([NPY.getvalue(), NPZ.getvalue()]),
    places=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=5),
    cut=st.integers(0, 3000),
)
def test_damage_gives_one_line(tmp_path, whole, places, cut):
    data = bytearray(whole)
    for place, value in places:
        data[place % min(len(data), 150 + 10 * place)] = value
    path = tmp_path / "rec.npz"
    path.write_bytes(data[: -cut or None] if cut < 100 else data)
    either_or(open_array, path, fs=250, unit="mV")


@pytest.mark.parametrize("content", [b"", b"time,II\n0,1\n", b"<svg/>", b"PAR1", bytes(500)])
def test_files_of_other_formats(tmp_path, content):
    assert not is_npy(content)
    assert not is_npz(content)
    path = tmp_path / "rec.npy"
    path.write_bytes(content)
    refusal(open_array, path, UnsupportedFormat if content else RecordingError, fs=250)


def test_files_are_known_by_their_content(npy, npz, tmp_path):
    assert is_npy(npy(SIGNAL).read_bytes()[:64])
    assert is_npz(npz(signal=SIGNAL).read_bytes()[:64])
    assert not is_npz(npy(SIGNAL).read_bytes()[:64])
    assert refusal(open_array, tmp_path / "none.npy", fs=250).startswith("cannot read ")
    assert refusal(open_array, tmp_path, fs=250).startswith("cannot read ")
