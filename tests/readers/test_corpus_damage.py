"""Files cut short, with wrong bytes, and with headers that say what cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from corpus import (
    EDF_FIELDS,
    EDF_SIGNAL,
    FORMATS,
    FS,
    LEADS,
    N_SAMPLES,
    SECONDS,
    SINGLE,
    edf_signals,
    edf_values,
    foreign,
    judge,
    millivolts,
)
from dicom_files import channel, group
from dicom_files import write as write_dicom
from edf_files import write_edf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ishne_files import change

TEXTS = ("csv", "tsv", "text", "watch")
"""Formats that do not say how much they hold: what is cut off their end cannot be missed."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, Path]:
    """The recording in every format, each in a folder of its own."""
    made = {}
    for kind, form in FORMATS.items():
        folder = tmp_path_factory.mktemp("originals") / kind
        folder.mkdir()
        made[kind] = form.write(folder, "rec")
    return made


def borders(content: bytes) -> set[int]:
    """Where files have parts that end: headers, signals of EDF, blocks, the last bytes."""
    fixed = {0, 1, 2, 4, 6, 8, 10, 16, 24, 26, 30, 64, 100, 128, 131, 132, 134, 144, 168, 184}
    fixed |= {252, 255, 256, 257, 511, 512, 521, 522, 523, 767, 768, 769, 1023, 1024, 1025, 1280}
    lines = [at for at in range(min(len(content), 1500)) if content[at : at + 1] in b"\n>"]
    ends = {len(content) - n for n in (1, 2, 3, 4, 7, 8, 9, 12, 16, 22, 46, 100, 500, 1000)}
    found = fixed | ends | set(lines[:30]) | {at + 1 for at in lines[:30]}
    return {at for at in found if 0 <= at < len(content)}


def check_beginning(kind: str, signal_mv: np.ndarray) -> None:
    """What is read of a file that is cut short is the beginning of the recording, unchanged."""
    expected = millivolts()
    n = len(signal_mv)
    # The last number of a text may be cut itself.
    n -= kind in TEXTS
    assert n <= N_SAMPLES
    columns = signal_mv.shape[1]
    np.testing.assert_allclose(signal_mv[:n], expected[:n, :columns], atol=1e-5)


def cut(kind: str, originals: dict[str, Path], folder: Path, extra: int) -> None:
    """Cut each file of a recording at its borders, and at `extra` other places."""
    source = originals[kind].parent
    for damaged in sorted(source.iterdir()):
        content = damaged.read_bytes()
        places = borders(content)
        places |= set(np.linspace(1, len(content) - 1, extra).astype(int).tolist())
        if kind in TEXTS:  # reading them takes longer
            places = set(sorted(places)[:: 1 if extra > 100 else 3])
        shutil.copytree(source, folder, dirs_exist_ok=True)
        for place in sorted(places):
            (folder / damaged.name).write_bytes(content[:place])
            verdict = judge(folder / originals[kind].name, **FORMATS[kind].options)
            if not verdict.message:
                # A header that is cut behind all it says, or a table that is shorter.
                whole = content[:place].strip() == content.strip()
                assert kind in TEXTS or damaged.suffix == ".hea" or whole, place
                # A header that is cut within its last line gives the lead there another name or
                # unit; of several segments, one then lacks that lead.
                if damaged.suffix != ".hea" or (kind, verdict.source.leads) == ("wfdb", LEADS):
                    check_beginning(kind, verdict.signal_mv)


@pytest.mark.parametrize("kind", FORMATS)
def test_cut_short(originals, tmp_path, kind):
    cut(kind, originals, tmp_path, 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_cut_short_anywhere(originals, tmp_path, kind):
    cut(kind, originals, tmp_path, 60)


def test_edf_that_is_still_being_written(tmp_path):
    path = tmp_path / "x.edf"
    write_edf(path, edf_signals(), edf_values(), **EDF_FIELDS | {"n_records": -1})
    content = path.read_bytes()
    assert judge(path).signal_mv.shape == (N_SAMPLES, 2)
    path.write_bytes(content[: -4 * FS - 17])  # the last record and a bit of the one before
    verdict = judge(path)
    assert len(verdict.signal_mv) == N_SAMPLES - 2 * FS
    check_beginning("edf", verdict.signal_mv)


def flip(content: bytes, flips: list[tuple[float, int, bool]]) -> bytes:
    """Change bytes: each at a share of the file, or of its first 600 bytes, to some value."""
    changed = bytearray(content)
    for share, value, near in flips:
        length = min(len(changed), 600) if near else len(changed)
        changed[min(int(share * length), len(changed) - 1)] = value
    return bytes(changed)


FLIPS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 255), st.booleans()), min_size=1, max_size=8
)


def check_flips(originals, tmp_path_factory, kind: str, flips, which: int) -> None:
    folder = tmp_path_factory.getbasetemp() / f"flipped-{kind}"
    shutil.copytree(originals[kind].parent, folder, dirs_exist_ok=True)
    files = sorted(originals[kind].parent.iterdir())
    damaged = files[which % len(files)]
    (folder / damaged.name).write_bytes(flip(damaged.read_bytes(), flips))
    # Any name may be in a damaged header, and be named as missing.
    judge(folder / originals[kind].name, ("it names", "names the file"), **FORMATS[kind].options)


# Other data gives other examples each time only where the number of them is large.
QUICK = settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
LONG = settings(QUICK, max_examples=60)


@pytest.mark.parametrize("kind", FORMATS)
@QUICK
@given(flips=FLIPS, which=st.integers(0, 4))
def test_wrong_bytes(originals, tmp_path_factory, kind, flips, which):
    check_flips(originals, tmp_path_factory, kind, flips, which)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
@LONG
@given(flips=FLIPS, which=st.integers(0, 4))
def test_wrong_bytes_many_times(originals, tmp_path_factory, kind, flips, which):
    check_flips(originals, tmp_path_factory, kind, flips, which)


BAD_NUMBERS = ("0", "-1", "-2", "99999999", "-9999999", "1e3", "1.5", "x", "", "0x10", "nan", "²")


class TestHeaders:
    """Wrong counts, text where numbers belong, absurd numbers."""

    @pytest.mark.parametrize("field", ["n_records", "record_s", "n_signals", "n_bytes"])
    @pytest.mark.parametrize("value", BAD_NUMBERS)
    def test_of_edf(self, tmp_path, field, value):
        path = tmp_path / "x.edf"
        value = value if field != "n_signals" else value[:4]
        write_edf(path, edf_signals(), edf_values(), **EDF_FIELDS | {field: value.encode()})
        verdict = judge(path)
        fine = {("n_records", "-1"), ("record_s", "1.5"), ("record_s", "1e3")}
        fine |= {("record_s", "99999999")}
        # More seconds a record make a lower sampling frequency, which is for others to refuse.
        if (field, value) == ("n_records", "1.5"):
            assert "no number of data records" in verdict.message
        elif (field, value) not in fine:
            assert verdict.message, value

    @pytest.mark.parametrize(
        "field", ["n_samples", "physical_min", "physical_max", "digital_min", "digital_max", "unit"]
    )
    @pytest.mark.parametrize("value", BAD_NUMBERS)
    def test_of_a_signal_of_edf(self, tmp_path, field, value):
        path = tmp_path / "x.edf"
        one, two = edf_signals()
        write_edf(path, [one | {field: value.encode()}, two], edf_values(), **EDF_FIELDS)
        judge(path)

    @pytest.mark.parametrize(
        "dates", [("", ""), ("99.99.99", "99.99.99"), ("x", "10:11"), ("0", "0")]
    )
    def test_of_dates_that_never_were(self, tmp_path, dates):
        path = tmp_path / "x.edf"
        when = {"date": dates[0], "time": dates[1], "recording": ""}
        write_edf(path, edf_signals(), edf_values(), **EDF_FIELDS | when)
        assert judge(path).source.start is None

    @pytest.mark.parametrize(
        "line",
        [
            "rec 2 250 {n}", "rec 3 250 {n}", "rec 1 250 {n}", "rec 0 250 {n}", "rec -2 250 {n}",
            "rec two 250 {n}", "rec 2 0 {n}", "rec 2 -250 {n}", "rec 2 1e9 {n}", "rec 2 nan {n}",
            "rec 2 abc {n}", "rec 2 250 0", "rec 2 250 -5", "rec 2 250 99999999", "rec 2 250 x",
            "rec 2 250 1000000000000", "rec 2 250 9999999999999999999999", "rec 2", "rec", "",
            "rec 999999999999 250 10", "rec/0 2 250 10", "rec/9 2 250 10", "rec/999999999 2 250 9",
            "rec 2 250(0)/abc {n}", "rec 2 250 {n} 99:99:99 99/99/9999", "rec 2 250 {n} x y",
        ],
    )  # fmt: skip
    def test_of_a_wfdb_record(self, tmp_path, line):
        path = FORMATS["wfdb"].write(tmp_path, "rec")
        rest = path.read_text().split("\n", 1)[1]
        path.write_text(line.format(n=N_SAMPLES) + "\n" + rest)
        judge(path)

    @pytest.mark.parametrize(
        "line",
        [
            "rec.dat 99 400 16 0 0 0 0 II", "rec.dat 16x0 400 16 0 0 0 0 II", "rec.dat",
            "rec.dat 16x999999999999 400 16 0 0 0 0 II", "rec.dat 16:99999999 400", "rec.dat 16",
            "rec.dat 16+99999999999 400", "rec.dat 16+-1 400", "rec.dat 16 0(0)/mV 16 0", "",
            "rec.dat 16 nan/mV", "rec.dat 16 1e-300/mV", "rec.dat 16 400(99999999999999)/mV",
            "rec.dat 16 400/mmHg", "rec.dat 16 x", "/etc/passwd 16 400", "../rec.dat 16 400",
            "sub/rec.dat 16 400", "~/rec.dat 16 400", ". 16 400", ".. 16 400", "- 16 400",
            "nothing.dat 16 400", "rec.hea 16 400", "rec.dat 8 400", "rec.dat 212 400",
            "rec.dat 516 400", "C:\\rec.dat 16 400", "~ 0 400",
        ],
    )  # fmt: skip
    def test_of_a_wfdb_signal(self, tmp_path, line):
        path = FORMATS["wfdb"].write(tmp_path, "rec")
        lines = path.read_text().split("\n")
        path.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n")
        verdict = judge(path, tuple(line.split(" ")[:1]))
        for secret in ("passwd", "..", "sub/", "~/", "C:"):
            if line.startswith((secret, "/etc/" + secret)):
                assert "outside its own folder" in verdict.message

    @pytest.mark.parametrize(
        "lines",
        [
            ["rec 10", "rec 10"], ["rec_1 -5", "rec_2 5"], ["rec_1 99999", "rec_2 1200"],
            ["rec_1 800", "~ 999999999999"], ["~ 1000", "~ 1000"], ["../rec_1 800", "rec_2 1200"],
            ["/rec_1 800", "rec_2 1200"], ["nothing 800", "rec_2 1200"], ["rec_1", "rec_2"],
            ["rec_1 800", ""], ["rec_1 0", "rec_2 1200"], ["rec_1 x", "rec_2 1200"],
        ],
    )  # fmt: skip
    def test_of_wfdb_segments(self, tmp_path, lines):
        path = FORMATS["wfdb-segments"].write(tmp_path, "rec")
        path.write_text("\n".join(["rec/2 2 250", *lines]) + "\n")
        judge(path, tuple(line.split(" ")[0] for line in lines))

    @pytest.mark.parametrize("field", ["n_samples", "begin", "variable_bytes", "n_leads", "fs"])
    @pytest.mark.parametrize("value", [0, -1, -9, 1, 3, 13, 32767, -32768, 2**31 - 1, -(2**31)])
    def test_of_ishne(self, tmp_path, field, value):
        if field in ("n_leads", "fs") and not -(2**15) <= value < 2**15:
            pytest.skip("a number of 16 bits")
        judge(change(FORMATS["ishne"].write(tmp_path, "rec"), **{field: value}))

    @pytest.mark.parametrize("value", [0, -1, -32768, 32767])
    def test_of_leads_of_ishne(self, tmp_path, value):
        for field in ("codes", "resolutions", "qualities"):
            judge(change(FORMATS["ishne"].write(tmp_path, "rec"), **{field: [value] * 12}))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("NumberOfWaveformSamples", 0), ("NumberOfWaveformSamples", 2**32 - 1),
            ("NumberOfWaveformSamples", None), ("NumberOfWaveformChannels", 0),
            ("NumberOfWaveformChannels", 65535), ("NumberOfWaveformChannels", None),
            ("SamplingFrequency", "0"), ("SamplingFrequency", "-250"), ("SamplingFrequency", None),
            ("SamplingFrequency", "1e30"), ("WaveformBitsAllocated", 64),
            ("WaveformBitsAllocated", None), ("WaveformSampleInterpretation", "XX"),
            ("WaveformData", None), ("WaveformData", b""), ("ChannelDefinitionSequence", None),
        ],
    )  # fmt: skip
    def test_of_dicom(self, tmp_path, field, value):
        channels = [channel("2:1"), channel("2:2")]
        own = group(np.zeros((100, 2), "<i2"), channels, **{field: value})
        assert judge(write_dicom(tmp_path / "x.dcm", [own])).message

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("(2000, 2)", "(-200, 2)"), ("(2000, 2)", "(0, 2)   "), ("(2000, 2)", "(9**9, 2)"),
            ("(2000, 2)", "(2000,0)"), ("(2000, 2)", "()       "), ("(2000, 2)", "'two'    "),
            ("(2000, 2)", "(2000.,2)"), ("(2000, 2)", "(1e999,2)"), ("<f8", "<c8"), ("<f8", "|O8"),
            ("<f8", "<U8"), ("<f8", "<M8"), ("<f8", "xyz"), ("False", "Maybe"), ("shape", "shepe"),
            ("{", "["), ("(2000, 2)", "(True, 2)"),
        ],
    )  # fmt: skip
    def test_of_npy(self, tmp_path, old, new):
        path = FORMATS["npy"].write(tmp_path, "rec")
        content = path.read_bytes()
        assert old.encode() in content[:128]
        head = content[:128].replace(old.encode(), new.encode(), 1)
        path.write_bytes(head[:127].ljust(127) + b"\n" + content[128:])
        assert judge(path, fs=FS, unit="mV").message

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('value="0.004"', 'value="0"'), ('value="0.004"', 'value="-0.004"'),
            ('value="0.004"', 'value="x"'), ('value="0.004"', 'value="1e-300"'),
            ('value="0.004"', 'value="nan"'), ('unit="s"', 'unit="mm"'), ("<digits>", "<digits>x "),
            ("<digits>", "<digits>1_0 "), ("</digits>", ""),
            ("RHYTHM", "OTHER"), ('unit="uV"', 'unit="mmHg"'), ("<digits>", "<digits><b/>"),
            ('value="2.5"', 'value="inf"'), ("20200504101112.000", "99999999999999"),
        ],
    )  # fmt: skip
    def test_of_aecg(self, tmp_path, old, new):
        path = FORMATS["aecg"].write(tmp_path, "rec")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        verdict = judge(path)
        if old.startswith("2020"):
            assert verdict.source.start is None
        else:
            assert verdict.message


LONG_LINES = {
    "header": ("x.hea", "x 1 250 10\nx.dat{blanks}z\n"),
    "segments": ("x.hea", "x/1 1 250 10\na{blanks}z\n"),
    "record": ("x.hea", "x{blanks}y\n"),
    "names": ("x.txt", "# 1\ntime{blanks}II [mV]\n{rows}"),
    "names and blanks": ("x.csv", "# 1\ntime,II [mV]{blanks}\n{rows}"),
    "blank row": ("x.csv", "# 1\ntime,II [mV]\n{rows}{blanks}\n"),
    "clock": ("x.csv", "time,II [mV]\n{rows}10:10:10{blanks}x,1\n"),
    "fact": ("x.csv", "# 1\nrate: 1{blanks}x\n\ntime,II [mV]\n{rows}"),
    "comment": ("x.csv", "# 1\n#{blanks}x\ntime,II [mV]\n{rows}"),
    "quotes": ("x.csv", "# 1\ntime,II [mV]\n{rows}{quotes}\n"),
}


@pytest.mark.parametrize("case", LONG_LINES)
def test_no_pattern_takes_the_square_of_the_length_of_a_line(tmp_path, case):
    name, text = LONG_LINES[case]
    rows = "".join(f"{n / FS:.3f},{n % 9 / 10}\n" for n in range(500))
    rows = rows if name.endswith("csv") else rows.replace(",", " ")
    text = text.format(blanks=" " * 60_000, quotes='"' * 60_000, rows=rows)
    (tmp_path / "x.dat").write_bytes(bytes(4000))
    (tmp_path / name).write_text(text)
    verdict = judge(tmp_path / name)  # which looks at the time
    assert bool(verdict.message) == (case in ("header", "segments", "record", "clock"))
    if name == "x.hea" and case != "record":
        assert "is not a WFDB header: cannot make sense of" in verdict.message


def test_names_of_leads_hold_nothing_that_a_terminal_obeys(tmp_path):
    path = FORMATS["wfdb"].write(tmp_path, "rec")
    path.write_text(path.read_text().replace("0 II", "0 I\x1b[2JI"))
    assert judge(path).source.leads == ("I [2JI", "V1")
    np.savez(
        tmp_path / "x.npz", signal=millivolts(), fs=FS, units="mV", leads=["a\x1b]0;b", "c" * 999]
    )
    assert judge(tmp_path / "x.npz").source.leads == ("a ]0;b", "c" * 100)


@pytest.mark.parametrize("content", foreign())
def test_other_files_called_anything(tmp_path, content):
    suffixes = (".hea", ".dat", ".edf", ".ecg", ".dcm", ".csv", ".npy", ".npz", ".parquet", ".xml")
    for suffix in (*suffixes, "", ".atr"):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(foreign()[content])
        assert judge(path).message, suffix
        path.unlink()


@pytest.mark.parametrize("kind", SINGLE)
def test_the_beginning_of_one_format_and_the_rest_of_another(originals, tmp_path, kind):
    path = tmp_path / "mixed"
    head = originals[kind].read_bytes()
    for other in SINGLE[SINGLE.index(kind) % 3 :: 3]:
        for length in (4, 8, 134, 522):
            path.write_bytes(head[:length] + originals[other].read_bytes()[length:])
            judge(path, **FORMATS[kind].options)


def test_seconds_and_counts_are_those_of_the_corpus():
    assert (N_SAMPLES, SECONDS, EDF_SIGNAL["n_samples"]) == (2000, 8, "250")
