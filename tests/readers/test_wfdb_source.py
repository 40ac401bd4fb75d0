"""WFDB records that are read part by part."""

from __future__ import annotations

import pickle
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ectopy.errors import RecordingError, UnsupportedFormat
from ectopy.readers import wfdb_files
from ectopy.readers.wfdb import WFDBSource, is_wfdb, open_wfdb, read_record
from ectopy.readers.wfdb_header import read_header

FORMATS = ["8", "16", "24", "32", "61", "80", "160", "212", "310", "311"]
N_FRAMES = 900


def write_random(
    folder: Path,
    name: str,
    files: list[tuple[str, list[int], list[int]]],
    n_frames: int = N_FRAMES,
    seed: int = 0,
) -> Path:
    """Write a record of random bytes: of each file its format, samples a frame, and skews."""
    random = np.random.default_rng(seed)
    lines = []
    for number, (fmt, per_frame, skews) in enumerate(files):
        words = random.integers(0, 2**32, size=n_frames * sum(per_frame), dtype="<u4")
        if fmt == "311":
            words &= 2**30 - 1  # the two bits that this format leaves unused are zero
        (folder / f"{name}{number}.dat").write_bytes(words.tobytes())
        lines += [
            f"{name}{number}.dat {fmt}x{samples}:{skew} 50(7)/mV 12 0 -3 0 0 {fmt}-{number}{place}"
            for place, (samples, skew) in enumerate(zip(per_frame, skews, strict=True))
        ]
    header = folder / f"{name}.hea"
    header.write_text(f"{name} {len(lines)} 100 {n_frames}\n" + "\n".join(lines) + "\n")
    return header


def error(source: WFDBSource, *part: int) -> str:
    with pytest.raises(RecordingError) as caught:
        source.read(*part)
    assert "\n" not in str(caught.value)
    return str(caught.value)


parts = st.tuples(st.integers(0, N_FRAMES), st.integers(0, N_FRAMES)).map(sorted)


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("formats")
    return {fmt: write_random(folder, f"f{fmt}", [(fmt, [1] * 3, [0] * 3)]) for fmt in FORMATS}


@pytest.mark.parametrize("fmt", FORMATS)
@settings(deadline=None, max_examples=12)
@given(part=parts, columns=st.lists(st.integers(0, 2), max_size=4))
def test_any_part_is_what_wfdb_gives(records, fmt, part, columns):
    first, stop = part
    source = open_wfdb(records[fmt])
    found = source.read(first, stop, columns)
    assert found.shape == (stop - first, len(columns))
    name = str(records[fmt].with_suffix(""))
    # From the middle of a file of differences, wfdb begins with the initial value of the header.
    begin = 0 if fmt == "8" else first
    if stop > begin:
        expected = wfdb.rdrecord(name, sampfrom=begin, sampto=stop).p_signal[first - begin :]
        np.testing.assert_array_equal(found, expected.astype(np.float32)[:, columns])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.lists(
        st.tuples(
            st.sampled_from(FORMATS),
            st.lists(st.integers(1, 4), min_size=1, max_size=4),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=2,
    ),
    chunk=st.sampled_from([1, 30, 500, 200_000]),
    data=st.data(),
)
def test_any_layout_of_frames(tmp_path_factory, files, chunk, data):
    folder = tmp_path_factory.mktemp("layout")
    layout = [
        # wfdb cannot read late signals of format 8, which has no value for missing samples.
        (fmt, rates, [skew * (fmt != "8") * (place % 2) * 20 for place in range(len(rates))])
        for fmt, rates, skew in files
    ]
    path = write_random(folder, "x", layout, n_frames=60)
    record = wfdb.rdrecord(str(path.with_suffix("")), smooth_frames=False)
    most = max(record.samps_per_frame)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wfdb_files, "CHUNK_VALUES", chunk)
        source = open_wfdb(path)
        assert (source.fs, source.n_samples) == (100 * most, 60 * most)
        whole = read_record(path).signal_mv
        first, stop = sorted(data.draw(st.tuples(*[st.integers(0, 60 * most)] * 2)))
        np.testing.assert_array_equal(source.read(first, stop), whole[first:stop])
    late = [skew for _, _, skews in layout for skew in skews]
    for column, rate in enumerate(record.samps_per_frame):
        # A lead of the highest rate is as it is in the file; of others the given samples are kept.
        common = np.gcd(most, rate)
        kept = whole[:, column].reshape(60, most)[:, :: most // common]
        given_samples = np.float32(record.e_p_signal[column]).reshape(60, rate)
        given_samples = given_samples[:, :: rate // common]
        # Of frames beyond the end wfdb calls only so many samples missing as there are frames.
        given_samples[60 - late[column] :] = np.nan
        if rate == most:
            np.testing.assert_array_equal(kept, given_samples)
        np.testing.assert_allclose(kept, given_samples, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fmt", FORMATS)
def test_parts_in_any_order_of_a_file_of_many_chunks(records, fmt, monkeypatch):
    whole = read_record(records[fmt]).signal_mv
    monkeypatch.setattr(wfdb_files, "CHUNK_VALUES", 100)
    source = open_wfdb(records[fmt])
    random = np.random.default_rng(4)
    for first in [850, *random.integers(0, N_FRAMES - 40, size=20).tolist(), 0]:
        np.testing.assert_array_equal(source.read(first, first + 40), whole[first : first + 40])
    np.testing.assert_array_equal(source.recording().signal_mv, whole)


def test_a_file_of_differences_is_summed_once(tmp_path, monkeypatch):
    path = write_random(tmp_path, "d", [("8", [2, 2], [0, 0])])
    monkeypatch.setattr(wfdb_files, "CHUNK_VALUES", 120)
    source = open_wfdb(path)
    decoded = []
    original = wfdb_files.SignalFile._decoded

    def counting(self, first, stop):
        decoded.append((first, stop))
        return original(self, first, stop)

    monkeypatch.setattr(wfdb_files.SignalFile, "_decoded", counting)
    source.read(1700, 1720)
    assert decoded[0][0] == 0
    assert len(decoded) == 29
    decoded.clear()
    source.read(1700, 1720)
    source.read(600, 660)
    assert decoded == [(840, 860), (300, 330)]


@pytest.mark.parametrize("fmt", ["8", "212"])
def test_a_file_gives_the_frames_asked_for(records, fmt, monkeypatch):
    monkeypatch.setattr(wfdb_files, "CHUNK_VALUES", 30)
    (file,) = wfdb_files.signal_files(read_header(records[fmt]))
    assert list(file.frames(5, 5)) == []
    starts, chunks = zip(*file.frames(25, 47), strict=True)
    assert starts[0] == 25
    ends = [start + len(values) for start, values in zip(starts, chunks, strict=True)]
    assert ends == [*starts[1:], 47]
    expected = wfdb.rdrecord(str(records[fmt].with_suffix("")), physical=False).d_signal
    np.testing.assert_array_equal(np.concatenate(chunks), expected[25:47])


def test_threads_may_share_a_source(records):
    source = open_wfdb(records["8"])
    whole = read_record(records["8"]).signal_mv
    same: list[bool] = []

    def work(seed: int) -> None:
        for first in np.random.default_rng(seed).integers(0, N_FRAMES - 50, size=20).tolist():
            part = source.read(first, first + 50)
            same.append(np.array_equal(part, whole[first : first + 50], equal_nan=True))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 80


@pytest.mark.parametrize("fmt", ["8", "212"])
def test_a_source_goes_to_another_process(records, fmt):
    source = pickle.loads(pickle.dumps(open_wfdb(records[fmt])))  # noqa: S301 - made here
    np.testing.assert_array_equal(source.read(), read_record(records[fmt]).signal_mv)


def test_what_a_source_says_of_itself(write_record, digital):
    path = write_record(sig_name=["MLII", "ABP"], units=["mV", "mmHg"])
    path.write_text(path.read_text() + "# Age: 70  Sex: F  Diagnoses: atrial fibrillation\n")
    source = open_wfdb(path)
    assert isinstance(source, WFDBSource)
    assert (source.name, source.fs, source.leads) == ("rec", 360.0, ("MLII",))
    assert (source.n_samples, source.start) == (len(digital), None)
    assert source.notes == {"left out": "ABP: no voltage"}
    assert "fibrillation" not in repr(source)
    assert open_wfdb(write_record("both")).notes == {}


def test_real_records_read_in_parts_as_wfdb_reads_them(mitdb_dir):
    random = np.random.default_rng(6)
    for record in ("100", "114", "207", "234"):
        source = open_wfdb(mitdb_dir / record)
        assert source.n_samples == 650_000
        for first in random.integers(0, 640_000, size=5).tolist():
            stop = first + int(random.integers(1, 10_000))
            expected = wfdb.rdrecord(str(mitdb_dir / record), sampfrom=first, sampto=stop)
            part = source.read(first, stop, [1, 0])
            np.testing.assert_array_equal(part, expected.p_signal.astype(np.float32)[:, ::-1])


# --- several segments ----------------------------------------------------------------------------


@pytest.fixture
def layout(tmp_path) -> Path:
    """Three segments and gaps, with a layout that wfdb asks for."""
    write_random(tmp_path, "a", [("212", [1, 1], [0, 0])], 101, 1)
    write_random(tmp_path, "b", [("16", [1], [0])], 90, 2)
    write_random(tmp_path, "c", [("80", [1, 1], [0, 0])], 50, 3)
    names = iter(["II", "V1", "V1", "V1", "II"])
    for header in ("a", "b", "c"):
        path = tmp_path / f"{header}.hea"
        lines = path.read_text().splitlines()
        lines[1:] = [f"{line.rsplit(' ', 1)[0]} {next(names)}" for line in lines[1:]]
        path.write_text("\n".join(lines) + "\n")
    (tmp_path / "all_layout.hea").write_text(
        "all_layout 2 100 0\n" + "".join(f"~ 0 50/mV 12 0 0 0 0 {name}\n" for name in ("II", "V1"))
    )
    lengths = [("all_layout", 0), ("a", 101), ("~", 33), ("b", 90), ("c", 50), ("~", 7), ("c", 50)]
    lines = [f"{name} {length}" for name, length in lengths]
    header = tmp_path / "all.hea"
    header.write_text(f"all/{len(lines)} 2 100 331\n" + "\n".join(lines) + "\n")
    return header


def test_parts_across_segments_and_gaps(layout):
    source = open_wfdb(layout)
    assert (source.leads, source.n_samples) == (("II", "V1"), 331)
    expected = wfdb.rdrecord(str(layout.with_suffix("")), m2s=True).p_signal.astype(np.float32)
    np.testing.assert_array_equal(source.read(), expected)
    assert np.isnan(expected).sum() > 2 * 33 + 90
    borders = [0, 1, 100, 101, 102, 134, 224, 273, 274, 275, 281, 330, 331]
    for first in borders:
        for stop in borders:
            if first <= stop:
                part = source.read(first, stop, [1])
                np.testing.assert_array_equal(part, expected[first:stop, [1]])


def test_segments_of_one_layout_as_wfdb_joins_them(tmp_path):
    for name, seed in (("s1", 1), ("s2", 2)):
        path = write_random(tmp_path, name, [("310", [1, 1], [0, 0])], 200, seed)
        path.write_text(path.read_text().replace("310-00", "I").replace("310-01", "II"))
    header = tmp_path / "fixed.hea"
    header.write_text("fixed/3 2 100 560\ns1 200\ns2 200\ns1 160\n")
    expected = wfdb.rdrecord(str(tmp_path / "fixed")).p_signal.astype(np.float32)
    source = open_wfdb(header)
    for first, stop in ((0, 560), (150, 420), (399, 401), (555, 560)):
        np.testing.assert_array_equal(source.read(first, stop), expected[first:stop])


def test_a_gap_costs_no_file_and_no_other_segment_is_opened(layout, monkeypatch):
    source = open_wfdb(layout)
    opened = []
    original = Path.open

    def noting(self, *args, **more):
        opened.append(self.name)
        return original(self, *args, **more)

    monkeypatch.setattr(Path, "open", noting)
    source.read(101, 134)
    assert opened == []
    source.read(140, 150)
    assert opened == ["b0.dat"]


def test_segments_may_give_a_lead_unlike_rates(tmp_path):
    (tmp_path / "a.dat").write_bytes(np.arange(0, 200, 2, dtype="<i2").tobytes())
    (tmp_path / "a.hea").write_text("a 1 100 100\na.dat 16 10 16 0 0 0 0 II\n")
    (tmp_path / "b.dat").write_bytes(np.arange(200, 400, dtype="<i2").tobytes())
    (tmp_path / "b.hea").write_text("b 1 100 100\nb.dat 16x2 10 16 0 0 0 0 II\n")
    (tmp_path / "m.hea").write_text("m/4 1 100\na 100\nb 100\n~ 10\na 100\n")
    source = open_wfdb(tmp_path / "m")
    assert (source.fs, source.n_samples) == (200.0, 620)
    assert source.notes == {"brought to one fs": "II from 100 and 200 Hz"}
    whole = source.read()[:, 0]
    # A ramp all along, but for the end of `a`, which does not see what follows.
    np.testing.assert_allclose(whole[20:180], np.arange(20, 180) / 10, rtol=1e-3)
    np.testing.assert_allclose(whole[200:400], np.arange(200, 400) / 10, rtol=1e-6)
    assert np.flatnonzero(np.isnan(whole)).tolist() == list(range(400, 420))
    for first, stop in ((0, 1), (195, 203), (399, 425), (1, 619)):
        np.testing.assert_array_equal(source.read(first, stop)[:, 0], whole[first:stop])


# --- several samples a frame ---------------------------------------------------------------------


def test_the_fastest_lead_gives_the_rate(tmp_path):
    path = write_random(tmp_path, "r", [("16", [4, 2, 1], [0, 0, 0]), ("212", [3], [0])])
    source = open_wfdb(path)
    assert (source.fs, source.n_samples) == (400.0, 4 * N_FRAMES)
    assert source.notes == {
        "brought to one fs": "16-01 from 200 Hz, 16-02 from 100 Hz, 212-10 from 300 Hz"
    }


def test_what_is_no_voltage_has_no_say_in_the_rate(tmp_path):
    path = write_random(tmp_path, "r", [("16", [8, 2], [0, 0])])
    path.write_text(path.read_text().replace("50(7)/mV", "50(7)/mmHg", 1))
    source = open_wfdb(path)
    assert (source.fs, source.leads) == (200.0, ("16-01",))
    record = wfdb.rdrecord(str(path.with_suffix("")), smooth_frames=False)
    expected = record.e_p_signal[1].astype(np.float32)
    np.testing.assert_array_equal(source.read(101, 999)[:, 0], expected[101:999])


@pytest.mark.parametrize("rates", [[4, 1], [3, 2], [2, 4, 3]])
def test_parts_of_slower_leads_are_slices(tmp_path, rates, monkeypatch):
    path = write_random(tmp_path, "s", [("212", rates, [0] * len(rates))])
    source = open_wfdb(path)
    whole = source.read()
    assert np.isnan(whole).any()  # some of the random samples are the one that means missing
    monkeypatch.setattr("ectopy.readers.wfdb.CHUNK_VALUES", 150)
    np.testing.assert_array_equal(source.read(), whole)
    random = np.random.default_rng(7)
    for first, length in random.integers(0, 700, size=(30, 2)).tolist():
        part = source.read(first, first + length)
        np.testing.assert_array_equal(part, whole[first : first + length])


def test_a_rate_beyond_all_reason(tmp_path):
    path = write_random(tmp_path, "r", [("16", [1001], [0])], 3)
    with pytest.raises(RecordingError) as caught:
        open_wfdb(path)
    assert str(caught.value) == (
        "r.hea gives a lead 1001 samples in each frame, which makes 100100 Hz; "
        "expected at most 100000 Hz, correct the header"
    )


def test_rates_that_no_filter_goes_between(tmp_path):
    path = write_random(tmp_path, "r", [("16", [1001, 1000], [0, 0])], 3)
    path.write_text(path.read_text().replace("r 2 100", "r 2 1"))
    with pytest.raises(UnsupportedFormat) as caught:
        open_wfdb(path)
    assert str(caught.value) == (
        "r.hea has lead '16-01' at 1000 Hz, which cannot be brought to the 1001 Hz of another; "
        "expected a ratio of whole numbers up to 1000, split the record by sampling frequency"
    )


def test_a_tiny_file_asks_for_no_huge_memory_by_its_rates(tmp_path):
    # Two files of a frame each second, one of them with 100,000 samples in it.
    n_frames, others = 700, 2
    with (tmp_path / "r.dat").open("wb") as file:
        file.truncate(n_frames * 100_000)
    (tmp_path / "x.dat").write_bytes(bytes(n_frames * others))
    fast, slow = "r.dat 80x100000 50 8 0 0 0 0 II\n", "x.dat 80x1000 50 8 0 0 0 0 V1\n"
    lines = fast + slow.replace("1000", "1") * others
    (tmp_path / "r.hea").write_text(f"r {1 + others} 1 {n_frames}\n" + lines)
    with pytest.raises(UnsupportedFormat):
        open_wfdb(tmp_path / "r")
    n_leads = 30
    (tmp_path / "x.dat").write_bytes(bytes(n_frames * 100 * n_leads))
    lines = fast + slow.replace("1000", "100") * n_leads
    (tmp_path / "r.hea").write_text(f"r {1 + n_leads} 1 {n_frames}\n" + lines)
    with pytest.raises(RecordingError) as caught:
        open_wfdb(tmp_path / "r")
    assert str(caught.value) == (
        "r.hea describes 2170000000 samples over all leads, but it has files of only 72100000 "
        "bytes; check its lengths and samples per frame"
    )


# --- files that change, and memory ---------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_file_that_shrinks_after_opening(tmp_path, fmt):
    path = write_random(tmp_path, "s", [(fmt, [1, 1], [0, 0])])
    data = tmp_path / "s0.dat"
    source = open_wfdb(path)
    whole = source.read()
    form = wfdb_files.FORMATS[fmt]
    data.write_bytes(data.read_bytes()[: form.bytes_for(2 * 600)])
    np.testing.assert_array_equal(source.read(550, 600), whole[550:600])
    for part in ((600, 601), (550, 620), (899, 900)):
        assert "s0.dat no longer holds samples " in error(source, *part)
    assert error(source, 600, 610) == (
        f"s0.dat no longer holds samples {0 if fmt == '8' else 600} to 610 of each signal, as it "
        "did when it was opened; get the file again"
    )


def test_a_file_that_goes_away_after_opening(tmp_path):
    path = write_random(tmp_path, "s", [("16", [1], [0])])
    source = open_wfdb(path)
    (tmp_path / "s0.dat").unlink()
    assert error(source, 5, 15) == (
        "cannot read a part of 's' (10 samples): No such file or directory; "
        "check the file and its permissions"
    )


def test_a_part_that_does_not_fit_into_memory(records, monkeypatch):
    def full(*args, **more):
        raise MemoryError

    source = open_wfdb(records["16"])
    monkeypatch.setattr(np, "empty", full)
    assert error(source, 0, 900) == (
        "a part of 'f16' (900 samples) does not fit into memory; read it in smaller ones"
    )


@pytest.fixture
def two_weeks(tmp_path) -> Path:
    n_samples = 14 * 24 * 3600 * 360
    with (tmp_path / "holter.dat").open("wb") as file:
        file.truncate(3 * n_samples)  # takes no space on the disk
    lines = "".join(f"holter.dat 212 200 11 0 0 0 0 {name}\n" for name in ("II", "V5"))
    (tmp_path / "holter.hea").write_text(f"holter 2 360 {n_samples}\n{lines}")
    return tmp_path / "holter.hea"


def test_memory_does_not_grow_with_the_record(two_weeks):
    open_wfdb(two_weeks).read(0, 10)  # what is imported or kept on first use does not count
    tracemalloc.start()
    try:
        source = open_wfdb(two_weeks)
        middle = source.n_samples // 2
        assert source.read(middle, middle + 3600).shape == (3600, 2)
        assert tracemalloc.get_traced_memory()[1] < 300_000
        tracemalloc.reset_peak()
        for first in range(middle, middle + 3_000_000, 600_000):
            part = source.read(first, first + 600_000)
        # Two parts, one of which is about to be let go, and what is decoded at a time.
        assert tracemalloc.get_traced_memory()[1] < 2 * part.nbytes + 40 * 200_000
    finally:
        tracemalloc.stop()


def test_a_lead_of_a_large_layout_costs_the_memory_of_that_lead(tmp_path):
    n_leads, n_frames = 64, 20_000
    path = write_random(tmp_path, "l", [("16", [1] * n_leads, [0] * n_leads)], n_frames)
    source = open_wfdb(path)
    source.read(0, 10)
    tracemalloc.start()
    try:
        part = source.read(columns=[5])
        assert tracemalloc.get_traced_memory()[1] < part.nbytes + 3_000_000
    finally:
        tracemalloc.stop()


# --- what is a record ----------------------------------------------------------------------------


@pytest.mark.parametrize("given_path", ["rec", "rec.hea", "rec.dat", "rec.atr"])
def test_a_record_is_known_by_its_header(write_record, given_path):
    folder = write_record().parent
    assert is_wfdb(folder / given_path)
    assert is_wfdb(str(folder / given_path))


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n", b"\0\1\2" * 50, b"time,II\n0,0.1\n", b"rec two 360\n"]
)
def test_another_file_of_that_suffix_is_no_record(tmp_path, content):
    (tmp_path / "rec.hea").write_bytes(content)
    assert not is_wfdb(tmp_path / "rec.hea")
    assert not is_wfdb(tmp_path / "rec")


def test_a_record_of_segments_or_with_faults_further_on_is_one(layout, tmp_path):
    assert is_wfdb(layout)
    (tmp_path / "bad.hea").write_text("bad 2 360 1000\nnot a signal\n")
    assert is_wfdb(tmp_path / "bad")
    with pytest.raises(RecordingError):
        open_wfdb(tmp_path / "bad")


@pytest.mark.parametrize("name", ["", "missing", "missing.hea", "x" * 5000, "nul\0byte"])
def test_what_is_not_there_is_no_record(tmp_path, name):
    (tmp_path / "night.edf").write_bytes(b"0       ")
    assert not is_wfdb(tmp_path / name)
    assert not is_wfdb(tmp_path / "night.edf")


@pytest.mark.parametrize("name", ["../s0.dat", "/etc/passwd", "sub/s0.dat"])
def test_what_lies_outside_is_refused_at_opening(tmp_path, name):
    path = write_random(tmp_path, "s", [("16", [1], [0])])
    path.write_text(path.read_text().replace("s0.dat", name))
    with pytest.raises(RecordingError, match="lies outside its own folder"):
        open_wfdb(path)
