"""Annotated ECG of HL7: rhythm, its times, and documents that are none."""

from __future__ import annotations

import tracemalloc
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aecg_files import document, lead, series, strip, time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import check_parts, either_or, refusal

from ectopy.errors import EctopyError, RecordingError, UnsupportedFormat
from ectopy.readers.aecg import is_aecg, open_aecg

if TYPE_CHECKING:
    from pathlib import Path


TWO = series(
    strip(time(), lead("MDC_ECG_LEAD_I", [1, 2, -3]), lead("MDC_ECG_LEAD_AVR", [10, -20, 30]))
)


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes) -> Path:
        path = tmp_path / "ecg.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def test_a_strip(write):
    source = open_aecg(write(document(TWO)))
    assert (source.name, source.fs, source.leads) == ("ecg", 500.0, ("I", "aVR"))
    expected = np.array([[0.005, 0.05], [0.01, -0.1], [-0.015, 0.15]], np.float32)
    np.testing.assert_array_equal(source.read(), expected)
    assert source.read().dtype == np.float32
    assert source.start == datetime(2020, 5, 4, 10, 11, 12)
    assert dict(source.notes) == {"device": "Recorder 9", "software": "2.1"}


def test_the_patient_is_named_nowhere(write):
    source = open_aecg(write(document(TWO)))
    kept = repr(source) + repr(vars(source)) + repr(source.recording())
    assert not any(secret in kept for secret in ("Jane", "Doe", "1952"))


@pytest.mark.parametrize(
    ("scale", "unit", "origin", "expected"),
    [
        ("5", "uV", "0", 0.05), ("0.01", "mV", "0", 0.1), ("1e-5", "V", "0", 0.1),
        ("2000", "nV", "0", 0.02), ("1", "µV", "-4", 0.006), ("1", "uV", "100", 0.11),
    ],
)  # fmt: skip
def test_scales_and_origins(write, scale, unit, origin, expected):
    own = lead("MDC_ECG_LEAD_V1", [10, 10], scale, unit, origin)
    source = open_aecg(write(document(series(strip(time(), own)))))
    np.testing.assert_array_equal(source.read(), np.full((2, 1), expected, np.float32))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_prefixes(write, encoding):
    text = document(TWO.replace("Recorder", "Gerät")).replace(
        "UTF-8", {"latin-1": "ISO-8859-1", "utf-16": "UTF-16"}.get(encoding, "UTF-8")
    )
    path = write(text.encode(encoding))
    assert is_aecg(path.read_bytes()[:4096])
    assert open_aecg(path).notes["device"] == "Gerät 9"
    prefixed = text.replace("xmlns=", "xmlns:v3=").replace("<", "<v3:").replace("<v3:/", "</v3:")
    prefixed = prefixed.replace("<v3:?", "<?")
    path = write(prefixed.encode(encoding))
    assert is_aecg(path.read_bytes()[:4096])
    assert open_aecg(path).leads == ("I", "aVR")


@pytest.mark.parametrize(
    ("increment", "fs"),
    [
        ('value="0.004" unit="s"', 250), ('value="4" unit="ms"', 250),
        ('value="1e3" unit="us"', 1000),
        ('value="0.00390625" unit="s"', 256), ('value="0.00277778" unit="s"', 360),
    ],
)  # fmt: skip
def test_sampling_frequencies(write, increment, fs):
    own = series(strip(time(increment=increment), lead("MDC_ECG_LEAD_I", [1, 2])))
    assert open_aecg(write(document(own))).fs == fs


def test_leads_with_one_name_and_of_other_kinds(write):
    pressure = lead("MDC_PRESS_BLD", [80, 81, 82], "1", "mm[Hg]")
    own = [lead(f"MDC_ECG_LEAD_{name}", [1, 2, 3]) for name in ("II", "II", "É")]
    source = open_aecg(write(document(series(strip(time(), pressure, *own)))))
    assert source.leads == ("II", "II-2", "É")


def test_strips_follow_one_another(write):
    first = strip(time('value="20200504101112.000+0200"'), lead("MDC_ECG_LEAD_I", [1, 2]))
    second = strip(
        time('value="20200504081112.010+0000"'),
        lead("MDC_ECG_LEAD_I", [3, 4]),
        lead("MDC_ECG_LEAD_II", [5, 6]),
    )
    source = open_aecg(write(document(series(second), series(first))))
    nan = np.nan
    expected = [[1, nan], [2, nan], [nan, nan], [nan, nan], [nan, nan], [3, 5], [4, 6]]
    np.testing.assert_array_equal(source.read(), (np.array(expected) * 0.005).astype(np.float32))
    assert source.start == datetime(2020, 5, 4, 10, 11, 12)
    assert source.notes["utc offset"] == "+02:00"
    check_parts(source)


@pytest.mark.parametrize(("ms", "n_samples"), [(10, 40), (9, 40), (12, 44), (8, 40)])
def test_strips_may_overlap_by_as_much_as_times_are_rounded(write, ms, n_samples):
    increment = 'value="0.0005" unit="s"'
    strips = [
        strip(time(f'value="20200504101115.{at:03}"', increment), lead("MDC_ECG_LEAD_I", range(20)))
        for at in (0, ms)
    ]
    source = open_aecg(write(document(series(*strips))))
    assert source.n_samples == n_samples
    np.testing.assert_array_equal(source.read(0, 20), source.read(n_samples - 20))


def test_strips_with_relative_times(write):
    strips = [
        strip(time(f'value="{start}" unit="s"'), lead("MDC_ECG_LEAD_I", [start, start]))
        for start in (0, 10, 5)
    ]
    source = open_aecg(write(document(series(*strips))))
    assert source.n_samples == 5002
    assert source.start == datetime(2020, 5, 4, 10, 11, 12)
    assert source.read()[[0, 2500, 5001], 0].tolist() == [0, np.float32(0.025), np.float32(0.05)]
    assert np.isnan(source.read(2, 2500)).all()
    without = document(series(*strips, low=""))
    assert open_aecg(write(without)).read(2500, 2501).tolist() == [[np.float32(0.025)]]
    assert open_aecg(write(without)).start is None


def test_gaps_and_long_strips_cost_no_memory(write):
    far = time('value="20200505101112.000"')
    random = np.random.default_rng(1)
    digits = random.integers(-500, 500, 400_000)
    text = document(
        series(strip(time(), lead("MDC_ECG_LEAD_I", digits))),
        series(strip(far, lead("MDC_ECG_LEAD_V1", [7, 8]))),
    )
    path = write(text)
    tracemalloc.start()
    source = open_aecg(path)
    assert tracemalloc.get_traced_memory()[1] < 60e6
    assert source.n_samples == 86_400 * 500 + 2
    assert source.read(43_200_000)[:, 1].tolist() == [np.float32(0.035), np.float32(0.04)]
    assert tracemalloc.get_traced_memory()[0] < 2e6
    tracemalloc.stop()
    expected = (digits * 0.005).astype(np.float32)
    np.testing.assert_array_equal(source.read(0, 400_000, [0])[:, 0], expected)


LEAD = lead("MDC_ECG_LEAD_I", [1, 2, 3])
LATER = time('value="20200505101112.100"')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "has no rhythm in volts; only series with the code RHYTHM are read"),
        (
            series(strip(time(), LEAD), code="REPRESENTATIVE_BEAT"),
            "has no rhythm in volts; only series with the code RHYTHM are read",
        ),
        (
            series(strip(time())),
            "has no rhythm in volts; only series with the code RHYTHM are read",
        ),
        (
            series(strip(time(), lead("MDC_PRESS_BLD", [1, 2], "1", "mm[Hg]"))),
            "has no rhythm in volts; only series with the code RHYTHM are read",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", [1, 2], unit="mmHg"))),
            ": MDC_ECG_LEAD_I is in 'mmHg', no voltage; expected uV or mV",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", ["1", "two"]))),
            ": 'two' among the samples is no number; correct it",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", ["1", "1_0"]))),
            ": '1_0' among the samples is no number; correct it",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", ["<b/>", "1"]))),
            " has an element 'b' among the samples; remove it",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", [1, 2], scale="large"))),
            ": the scale 'large' is no number; correct it",
        ),
        (
            series(strip(time(), LEAD, lead("MDC_ECG_LEAD_II", [1]))),
            "has leads of 1 and of 3 samples at the same time; expected equal numbers, get the "
            "file again",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", [1]))),
            "holds 1 samples of a lead; a recording has thousands",
        ),
        (
            series(strip(time(), lead("MDC_ECG_LEAD_I", []))),
            "holds 0 samples of a lead; a recording has thousands",
        ),
        (
            series(strip(LEAD)),
            "does not give the sampling interval of all its leads; get the file again",
        ),
        (
            series(strip(time(increment='value="2" unit="Hz"'), LEAD)),
            "gives its sampling interval in 'Hz'; expected s, correct it",
        ),
        (
            series(strip(time(increment='value="0" unit="s"'), LEAD)),
            "has a sampling interval of 0 s; expected at least 1e-05 s, correct it",
        ),
        (
            series(strip(time(increment='value="1e-9" unit="s"'), LEAD)),
            "has a sampling interval of 1e-09 s; expected at least 1e-05 s, correct it",
        ),
        (
            series(strip(time(), LEAD), strip(time(increment='value="4" unit="ms"'), LEAD)),
            "has sampling intervals from 0.002 to 0.004 s; expected one, part it",
        ),
        (
            series(strip(time(), LEAD), strip(time(), LEAD)),
            "has strips of rhythm at the same time; expected one after the other, part it",
        ),
        (
            series(strip(time(), LEAD), strip(LATER, LEAD)),
            "has strips of rhythm over a day apart; expected one after the other, part it",
        ),
        (
            series(strip(time(""), LEAD), strip(time(""), LEAD), low=""),
            "has 2 strips of rhythm and does not say when each begins; part the file",
        ),
        (
            series(
                strip(time('value="0" unit="s"'), LEAD), strip(time('value="1e300" unit="s"'), LEAD)
            ),
            "has times that no recording has; correct them",
        ),
        (
            series(strip(time(), *[LEAD] * 257)),
            "has over 256 leads in a strip; it is no recording, get the file again",
        ),
        ("<a>" * 200, "has elements 100 deep; it is no annotated ECG"),
    ],
)
def test_documents_that_cannot_be_read(write, body, message):
    said = refusal(open_aecg, write(document(body)))
    assert said.removeprefix("ecg.xml").strip() == message.strip()


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE AnnotatedECG [<!ENTITY a "1 1 1"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE AnnotatedECG [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE AnnotatedECG SYSTEM "http://127.0.0.1:9/a.dtd">',
        "<!DOCTYPE AnnotatedECG>",
    ],
)
def test_documents_that_declare_entities_or_a_type(write, declaration):
    text = document(TWO.replace(">1 2", ">&b; 2")).replace("?>", "?>" + declaration)
    message = "ecg.xml declares entities or a document type; remove them"
    assert refusal(open_aecg, write(text)) == message


def test_a_number_without_end(write):
    text = document(series(strip(time(), lead("MDC_ECG_LEAD_I", ["1" * 3_000_000]))))
    assert "among the samples is no number" in refusal(open_aecg, write(text))


def test_numbers_are_the_same_wherever_the_pieces_end(write, monkeypatch):
    digits = np.random.default_rng(1).integers(-1000, 1000, 500).tolist()
    path = write(document(series(strip(time(), lead("MDC_ECG_LEAD_I", digits)))))
    expected = (np.array(digits)[:, np.newaxis] * 0.005).astype(np.float32)
    for read, kept in [(1, 3), (7, 1), (64, 10), (100_000, 1_000_000)]:
        monkeypatch.setattr("ectopy.readers.aecg._PIECE_BYTES", read)
        monkeypatch.setattr("ectopy.readers.aecg_document._PIECE", kept)
        np.testing.assert_array_equal(open_aecg(path).read(), expected)


def test_a_document_that_is_cut_anywhere(write):
    whole = document(TWO).rstrip().encode()
    for length in range(0, len(whole), 7):
        kind = RecordingError if length == 0 or length > 200 else EctopyError
        refusal(open_aecg, write(whole[:length]), kind)


@pytest.mark.parametrize(
    "content",
    [b"", b"   \n", b"II\n0.1\n0.2\n", b"<svg></svg>", b"\x93NUMPY\x01\x00", b"PAR1", bytes(600)],
)
def test_files_of_other_formats(write, content):
    assert not is_aecg(content)
    kind = UnsupportedFormat if content.strip() else RecordingError
    assert refusal(open_aecg, write(content), kind).startswith("ecg.xml is ")


def test_no_file(tmp_path):
    assert refusal(open_aecg, tmp_path / "none.xml").startswith("cannot read ")
    assert refusal(open_aecg, tmp_path).startswith("cannot read ")


WHOLE = document(TWO).encode()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    places=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, len(WHOLE)),
)
def test_damage_gives_one_line(write, places, cut):
    data = bytearray(WHOLE)
    for place, value in places:
        data[place] = value
    either_or(open_aecg, write(bytes(data[cut:] if cut < 100 else data)))
