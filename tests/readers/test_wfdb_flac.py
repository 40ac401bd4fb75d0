"""WFDB signal files that are compressed with FLAC."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import MissingExtra, RecordingError, UnsupportedFormat
from ectopy.readers.wfdb import open_wfdb, read_record

BITS = {"508": 8, "516": 16, "524": 24}
N_SAMPLES = 20_000


def values_of(bits: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Values of every size, the one that means missing among them, and a flat line."""
    random = np.random.default_rng(seed)
    values = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size=shape)
    values[: len(values) // 3] = 5
    values[::50, 0] = -(2 ** (bits - 1))
    return values


def encode(path: Path, values: np.ndarray, subtype: str = "PCM_16") -> None:
    shift = {"PCM_S8": 8, "PCM_16": 0, "PCM_24": 8}[subtype]
    kind = np.int32 if subtype == "PCM_24" else np.int16
    soundfile.write(path, values.astype(kind) << shift, 96_000, subtype, format="FLAC")


def set_length(path: Path, n_samples: int) -> None:
    """Let the stream promise another number of samples: 36 bits of its first block."""
    content = bytearray(path.read_bytes())
    content[21] = content[21] & 0xF0 | n_samples >> 32
    content[22:26] = (n_samples & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(bytes(content))


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> dict[str, Path]:
    """A record of each format, written by wfdb."""
    folder = tmp_path_factory.mktemp("flac")
    for fmt, bits in BITS.items():
        wfdb.wrsamp(
            f"f{fmt}",
            fs=360,
            units=["mV", "uV"],
            sig_name=["MLII", "V5"],
            d_signal=values_of(bits, (N_SAMPLES, 2)),
            fmt=[fmt, fmt],
            adc_gain=[200.0, 3.0],
            baseline=[0, 20],
            write_dir=str(folder),
        )
    return {fmt: folder / f"f{fmt}.hea" for fmt in BITS}


@pytest.fixture
def record(tmp_path) -> Path:
    encode(tmp_path / "z.dat", values_of(16, (N_SAMPLES, 2)))
    line = "z.dat 516 200 16 0 0 0 0 {}\n"
    header = f"z 2 360 {N_SAMPLES}\n" + line.format("II") + line.format("V1")
    (tmp_path / "z.hea").write_text(header)
    return tmp_path / "z.hea"


def refusal(path: Path, kind: type[Exception] = RecordingError) -> str:
    with pytest.raises(kind) as caught:
        open_wfdb(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("fmt", BITS)
def test_the_whole_is_what_wfdb_gives(records, fmt):
    expected = wfdb.rdrecord(str(records[fmt].with_suffix(""))).p_signal
    expected[:, 1] /= 1000
    found = read_record(records[fmt])
    assert found.leads == ("MLII", "V5")
    np.testing.assert_allclose(found.signal_mv, expected.astype(np.float32), rtol=1e-6)
    assert np.isnan(found.signal_mv).sum(axis=0)[0] >= N_SAMPLES // 50


@pytest.mark.parametrize("fmt", BITS)
@settings(deadline=None, max_examples=20)
@given(
    part=st.tuples(st.integers(0, N_SAMPLES), st.integers(0, N_SAMPLES)).map(sorted),
    columns=st.lists(st.integers(0, 1), max_size=3),
)
def test_any_part_is_a_slice_of_the_whole(records, fmt, part, columns):
    source = open_wfdb(records[fmt])
    whole = source.read()
    first, stop = part
    np.testing.assert_array_equal(source.read(first, stop, columns), whole[first:stop, columns])


@pytest.mark.parametrize("fmt", BITS)
def test_a_file_of_many_chunks(records, fmt, monkeypatch):
    whole = read_record(records[fmt]).signal_mv
    monkeypatch.setattr("ectopy.readers.wfdb_files.CHUNK_VALUES", 700)
    np.testing.assert_array_equal(read_record(records[fmt]).signal_mv, whole)


def test_several_samples_a_frame(tmp_path):
    values = values_of(16, (900, 2))
    encode(tmp_path / "m.dat", values)
    (tmp_path / "m.hea").write_text(
        "m 2 100 300\nm.dat 516x3 200 16 0 0 0 0 I\nm.dat 516x3 200 16 0 0 0 0 II\n"
    )
    source = open_wfdb(tmp_path / "m")
    assert (source.fs, source.n_samples) == (300.0, 900)
    expected = wfdb.rdrecord(str(tmp_path / "m"), smooth_frames=False).e_p_signal
    for first, stop in ((0, 900), (1, 2), (100, 851)):
        part = source.read(first, stop)
        np.testing.assert_array_equal(part.T, np.float32(expected)[:, first:stop])


@pytest.mark.parametrize(("fmt", "subtype"), [("516", "PCM_S8"), ("524", "PCM_16")])
def test_a_stream_of_fewer_bits(record, fmt, subtype):
    bits = {"PCM_S8": 8, "PCM_16": 16}[subtype]
    encode(record.with_suffix(".dat"), values_of(bits, (N_SAMPLES, 2)), subtype)
    record.write_text(record.read_text().replace(" 516 ", f" {fmt} "))
    expected = wfdb.rdrecord(str(record.with_suffix(""))).p_signal
    np.testing.assert_array_equal(read_record(record).signal_mv, expected.astype(np.float32))


def test_an_offset_counts_samples_as_in_wfdb(record):
    text = record.read_text().replace(" 516 ", " 516+123 ")
    record.write_text(text.replace(f"360 {N_SAMPLES}", f"360 {N_SAMPLES - 123}"))
    expected = wfdb.rdrecord(str(record.with_suffix(""))).p_signal.astype(np.float32)
    np.testing.assert_array_equal(read_record(record).signal_mv, expected)
    record.write_text(text.replace(f"360 {N_SAMPLES}", "360"))
    assert open_wfdb(record).n_samples == N_SAMPLES - 123


def test_a_name_that_looks_like_raw_samples(record):
    whole = read_record(record).signal_mv
    record.with_suffix(".dat").rename(record.with_suffix(".raw"))
    record.write_text(record.read_text().replace("z.dat", "z.raw"))
    np.testing.assert_array_equal(read_record(record).signal_mv, whole)


def test_segments_may_be_compressed(record, tmp_path):
    whole = read_record(record).signal_mv
    (tmp_path / "m.hea").write_text(f"m/3 2 360\nz {N_SAMPLES}\n~ 10\nz 500\n")
    part = open_wfdb(tmp_path / "m").read(N_SAMPLES - 20, N_SAMPLES + 100)
    np.testing.assert_array_equal(part[:20], whole[-20:])
    assert np.isnan(part[20:30]).all()
    np.testing.assert_array_equal(part[30:], whole[:90])


def test_a_stream_that_is_short_is_counted(record):
    record.write_text(record.read_text().replace(f"360 {N_SAMPLES}", f"360 {N_SAMPLES + 1}"))
    assert refusal(record) == (
        f"z.dat is cut short: it holds {N_SAMPLES} samples of each signal, but z.hea promises "
        f"{N_SAMPLES + 1}; get the file again"
    )
    record.write_text(record.read_text().replace(" 516 ", " 516+999999999999999 "))
    assert "it holds 0 samples" in refusal(record)


@pytest.mark.parametrize("n_samples", [N_SAMPLES + 1, 10**6, 2**36 - 1])
def test_a_stream_that_promises_what_is_not_there(record, n_samples):
    set_length(record.with_suffix(".dat"), n_samples)
    for text in (record.read_text(), record.read_text().replace(f"360 {N_SAMPLES}", "360")):
        record.write_text(text)
        assert refusal(record) == (
            "z.dat is damaged or cut short: its FLAC stream cannot be decoded; get the file again"
        )


def test_a_stream_of_unknown_length(record):
    set_length(record.with_suffix(".dat"), 0)
    assert refusal(record) == (
        "z.dat does not say how many samples it holds; compress it again, from a file"
    )


def test_a_tiny_stream_asks_for_no_huge_memory(tmp_path):
    n_samples = 7_000_000
    with soundfile.SoundFile(tmp_path / "q.dat", "w", 96_000, 8, "PCM_16", format="FLAC") as file:
        for _ in range(10):
            file.write(np.zeros((n_samples // 10, 8), dtype=np.int16))
    lines = "q.dat 516 200 16 0 0 0 0 II\n" * 8
    (tmp_path / "q.hea").write_text(f"q 8 360\n{lines}")
    assert open_wfdb(tmp_path / "q").n_samples == n_samples
    # The same file in 20 segments.
    (tmp_path / "m.hea").write_text("m/20 8 360\n" + f"q {n_samples}\n" * 20)
    assert "describes 1120000000 samples over all leads" in refusal(tmp_path / "m")


@pytest.mark.parametrize("share", [0.001, 0.3, 0.99])
def test_a_file_cut_short(record, share):
    data = record.with_suffix(".dat")
    content = data.read_bytes()
    data.write_bytes(content[: int(share * len(content))])
    assert refusal(record) == (
        "z.dat is damaged or cut short: its FLAC stream cannot be decoded; get the file again"
    )


def test_a_file_that_shrinks_or_changes_after_opening(record):
    source = open_wfdb(record)
    whole = source.read()
    data = record.with_suffix(".dat")
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    np.testing.assert_array_equal(source.read(0, 3000), whole[:3000])
    for part in ((N_SAMPLES - 5, N_SAMPLES), (0, N_SAMPLES)):
        with pytest.raises(RecordingError, match="damaged or cut short: its FLAC stream"):
            source.read(*part)
    encode(data, values_of(16, (100, 2)))
    for part in ((50, 150), (5000, 5001)):
        with pytest.raises(RecordingError, match="get the file again"):
            source.read(*part)
    data.write_bytes(b"no FLAC")
    with pytest.raises(UnsupportedFormat, match="is no FLAC file"):
        source.read(0, 1)
    data.unlink()
    with pytest.raises(RecordingError, match="cannot read a part of 'z'"):
        source.read(0, 1)


@pytest.mark.parametrize("seed", range(10))
def test_damage_is_told_and_never_read(record, seed):
    source = open_wfdb(record)
    whole = source.read()
    data = record.with_suffix(".dat")
    content = bytearray(data.read_bytes())
    random = np.random.default_rng(seed)
    start = int(random.integers(len(content) // 2, len(content) - 100))
    content[start : start + 20] = random.bytes(20)
    data.write_bytes(bytes(content))
    with pytest.raises(RecordingError, match="damaged or cut short"):
        source.read()
    for first in range(0, N_SAMPLES, 500):
        try:
            part = source.read(first, first + 500)
        except RecordingError:
            continue
        np.testing.assert_array_equal(part, whole[first : first + 500])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("z 2", "z 1", "z.dat has 2 channels for 1 signals"),
        ("516 200 16 0 0 0 0 II", "516x2 200 16 0 0 0 0 II", "cannot hold signals of unlike"),
        (" 516 ", " 508 ", "z.dat has samples of kind PCM_16, but z.hea gives it the format 508"),
    ],
)
def test_a_stream_that_is_not_what_the_header_says(record, old, new, message):
    record.write_text(record.read_text().replace(old, new))
    found = refusal(record, UnsupportedFormat)
    assert message in found
    assert found.endswith("; get both files again")


@pytest.mark.parametrize("content", [b"", b"RIFF" + bytes(100), b"fLaC" + bytes(1000)])
def test_a_file_that_is_no_stream(record, content):
    record.with_suffix(".dat").write_bytes(content)
    assert refusal(record).endswith("get both files again" if b"fLaC" not in content else "again")


def test_without_soundfile_it_says_what_to_install(record, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert refusal(record, MissingExtra) == (
        "z.dat is compressed with FLAC, but soundfile cannot be imported; "
        "install it with: pip install soundfile"
    )
