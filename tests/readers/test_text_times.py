"""Columns of times: sampling frequency, start and gaps of tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from table_files import check_parts, refusal

from ectopy.errors import RecordingError
from ectopy.readers.grid import Gaps, Grid
from ectopy.readers.text import open_text

if TYPE_CHECKING:
    pass


@pytest.fixture
def write(tmp_path):
    def table(times, header="time", values=None, separator=","):
        path = tmp_path / "rec.csv"
        lines = [f"{header}{separator}II [mV]"]
        for number, time in enumerate(times):
            value = number % 7 if values is None else values[number]
            lines.append(f"{time}{separator}{value}")
        path.write_text("\n".join(lines) + "\n")
        return path

    return table


COUNT = range(2000)


@pytest.mark.parametrize(
    ("header", "times", "fs"),
    [
        ("time", [f"{n / 250:.3f}" for n in COUNT], 250),
        ("time [s]", [n / 50 for n in COUNT], 50),
        ("t", [f"{n / 360:.9f}" for n in COUNT], 360),
        ("seconds", [f"{n / 360:.3f}" for n in COUNT], 360),  # rounded to 2.8 steps a ms
        ("sec", [f"{n / 512:.3f}" for n in COUNT], 512),
        ("time", [n * 4 for n in COUNT], 250),
        ("time_ms", [n * 1 for n in COUNT], 1000),
        ("Time (ms)", [f"{n / 0.36:.2f}" for n in COUNT], 360),
        ("time", [n * 2000 for n in COUNT], 500),
        ("time [us]", [n * 10_000 for n in COUNT], 100),
        ("timestamp", [n * 4_000_000 for n in COUNT], 250),
        ("time", [f"{n / 128.25:.6f}" for n in COUNT], 128.25),
        ("time", [f"{(n // 60 % 60) % 60}:{n % 60}.000" for n in range(60)], 1),
    ],
)  # fmt: skip
def test_numbers(write, header, times, fs):
    source = open_text(write(times, header))
    assert source.fs == pytest.approx(fs, rel=1e-7)
    assert source.fs == fs or fs == 128.25
    assert source.start is None
    assert source.n_samples == len(times)


START = datetime(2020, 5, 4, 23, 59, 58, 500_000)
MOMENTS = [START + timedelta(milliseconds=4 * n) for n in COUNT]


@pytest.mark.parametrize(
    ("header", "form", "notes"),
    [
        ("time", lambda m: m.isoformat(timespec="milliseconds"), {}),
        ("time", lambda m: m.isoformat(" ", timespec="microseconds"), {}),
        ("time", lambda m: m.isoformat(" ", "milliseconds") + "+02:00", {"utc offset": "+02:00"}),
        ("time", lambda m: m.isoformat("T", "milliseconds") + "Z", {"utc offset": "+00:00"}),
        ("Zeit", lambda m: f"{m:%d.%m.%Y %H:%M:%S},{m.microsecond // 1000:03d}", {}),
        ("when", lambda m: f"{m:%Y/%m/%d %H:%M:%S}.{m.microsecond // 1000:03d}", {}),
        ("Datum;Uhrzeit", lambda m: f"{m:%d.%m.%Y};{m:%H:%M:%S},{m.microsecond // 1000:03d}", {}),
        ("date;time", lambda m: f"{m:%Y-%m-%d};{m:%I:%M:%S.%f} {m:%p}", {}),
    ],
)  # fmt: skip
def test_dates_and_clocks(write, header, form, notes):
    source = open_text(write([form(moment) for moment in MOMENTS], header, separator=";"))
    assert (source.fs, source.leads, source.start) == (250.0, ("II",), START)
    assert source.n_samples == len(MOMENTS)
    assert dict(source.notes) == notes


@pytest.mark.parametrize(("per", "form"), [(1, ".3f"), (1e3, ".0f"), (1e6, ".0f"), (1e9, ".0f")])
def test_unix_epochs(write, per, form):
    seconds = [1_588_586_400.5 + n / 250 for n in COUNT]
    source = open_text(write([f"{second * per:{form}}" for second in seconds], "timestamp"))
    assert source.fs == 250
    assert source.start == datetime(2020, 5, 4, 10, 0, 0, 500_000)
    assert source.notes["utc offset"] == "+00:00"


@pytest.mark.parametrize("header", ["'sample #'", "index", "Unnamed: 0", "", "n"])
def test_numbers_of_samples(write, header):
    path = write(COUNT, header)
    assert refusal(open_text, path) == (
        "rec.csv does not say its sampling frequency; give it in Hz with --fs"
    )
    source = open_text(path, fs=360)
    assert (source.fs, source.leads, source.n_samples) == (360.0, ("II",), 2000)


def test_times_that_rise_by_one_may_be_two_things(write):
    path = write(COUNT)
    assert refusal(open_text, path) == (
        "rec.csv: column 'time' rises by 1, which may be samples or milliseconds; give the "
        "sampling frequency with --fs"
    )
    assert open_text(path, fs=250).fs == 250
    assert open_text(path, fs=1000).fs == 1000


def test_a_first_column_without_a_name_that_rises_evenly_is_the_time(tmp_path):
    path = tmp_path / "rec.csv"
    path.write_text("".join(f"{n / 250:.3f}\t{n % 5}\n" for n in range(100)))
    source = open_text(path, unit="mV")
    assert (source.fs, source.leads, source.n_samples) == (250.0, ("1",), 100)


def test_coarse_times_need_a_sampling_frequency(write):
    times = [f"2020-01-01 00:00:{n // 250:02d}" for n in COUNT]
    path = write(times)
    assert "are too coarse or do not rise" in refusal(open_text, path)
    assert open_text(path, fs=250).start == datetime(2020, 1, 1)
    assert refusal(open_text, path, fs=500) == (
        "rec.csv: the sampling frequency 500 Hz that is given is not the 285.571 Hz of its times; "
        "leave --fs out or correct what is wrong"
    )


@pytest.mark.parametrize("missing", [[3], [3, 4, 5], [1, 7, 8, 50, 900], list(range(100, 1900))])
@pytest.mark.parametrize("form", [".3f", ".9f"])
def test_gaps_are_missing_samples(write, missing, form):
    kept = [n for n in COUNT if n not in missing]
    fs = 250 if form == ".3f" else 360
    source = open_text(write([f"{n / fs:{form}}" for n in kept], values=kept))
    expected = np.arange(2000, dtype=np.float32)
    expected[missing] = np.nan
    assert (source.fs, source.n_samples) == (fs, 2000)
    np.testing.assert_array_equal(source.read()[:, 0], expected)
    check_parts(source)


def test_gaps_cost_no_memory(write):
    day_s = 86_400
    times = [*(n / 250 for n in range(100)), *(n / 250 + day_s for n in range(100, 200))]
    source = open_text(write([f"{time:.3f}" for time in times]))
    assert source.n_samples == 200 + day_s * 250
    assert np.isfinite(source.read(0, 200)[:, 0]).sum() == 100
    assert np.isnan(source.read(10_000_000, 10_000_100)).all()
    assert source.read(source.n_samples - 1)[0, 0] == 199 % 7


def test_what_follows_a_long_gap_goes_to_the_nearest_sample(write):
    times = [*(n / 250 for n in range(100)), *((n + 0.4) / 250 for n in range(200, 300))]
    source = open_text(write([f"{time:.5f}" for time in times]))
    assert source.n_samples == 300
    assert np.flatnonzero(np.isnan(source.read()[:, 0])).tolist() == list(range(100, 200))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({50: "0.2012"}, "line 52: the time rises by 0.0052 s, which is no multiple of 0.004 s"),
        ({50: "0.194"}, "line 52: the time does not rise (by -0.002 s)"),
        ({50: "0.196"}, "line 52: the time does not rise (by 0 s)"),
        ({50: ""}, "line 52: there is no time"),
        ({50: "soon"}, "line 52, column 1: 'soon' is no number"),
        ({99: "90000"}, "line 101: more than a day is missing before it"),
        ({99: "1e300"}, "line 101: more than a day is missing before it"),
    ],
)
def test_times_that_are_not_regular(write, change, what):
    times = [change.get(n, f"{n / 250:.3f}") for n in range(100)]
    assert what in refusal(open_text, write(times))


def test_clocks_that_are_none(write):
    times = [f"10:00:00.{4 * n:03d}" for n in range(100)]
    assert "line 52: 'noon' is no time of day" in refusal(
        open_text, write([*times[:50], "noon", *times[51:]])
    )
    dates = [f"2020-01-01T{time}" for time in times]
    message = refusal(open_text, write([*dates[:50], "2020-13-01T10:00:00.200", *dates[51:]]))
    assert "line 52: '2020-13-01T10:00:00.' is no time of day" in message


def test_jitter_up_to_a_fifth_is_taken(write):
    random = np.random.default_rng(3)
    times = np.arange(2000) / 250 + random.uniform(-0.0003, 0.0003, 2000)
    source = open_text(write([f"{time:.6f}" for time in times]))
    assert source.fs == pytest.approx(250, rel=1e-3)
    assert source.n_samples == 2000


@pytest.mark.parametrize(("given", "said"), [(500, "250"), (250, "251.889")])
def test_a_frequency_that_differs_from_the_times(write, given, said):
    times = [f"{n / float(said):.6f}" for n in COUNT]
    message = refusal(open_text, write(times), fs=given)
    assert f"{given} Hz that is given is not the {said} Hz of its times" in message


def test_a_frequency_before_the_table_that_differs(write, tmp_path):
    path = write([f"{n / 250:.3f}" for n in COUNT])
    path.write_text("# fs: 360\n" + path.read_text())
    assert "360 Hz that is given is not the 250 Hz of its times" in refusal(open_text, path)
    path.write_text("# fs: 360\nII [mV]\n0.5\n0.6\n")
    assert refusal(open_text, path, fs=250) == (
        "rec.csv: the sampling frequency 250 Hz given with --fs is not the 360 Hz in its header; "
        "leave --fs out or correct what is wrong"
    )


@pytest.mark.parametrize("parts", [[2000], [1, 1999], [500, 1, 1, 1498], [3] * 666 + [2]])
def test_times_in_parts_give_the_same(parts):
    times = np.delete(np.arange(2100) / 360.0, slice(600, 700))
    grid = Grid("x", None)
    first = 0
    for length in parts:
        grid.feed(times[first : first + length], lambda row: f"row {row}")
        first += length
    rate, gaps = grid.finish()
    assert rate is not None
    assert rate.fs == 360
    assert (gaps.rows.tolist(), gaps.missing.tolist()) == ([600], [100])


def test_samples_and_rows():
    gaps = Gaps(np.array([2, 5]), np.array([3, 4]))  # rows at 0 1 | 5 6 7 | 9 10
    assert [gaps.row_of(sample) for sample in range(12)] == [0, 1, 2, 2, 2, 2, 3, 4, 5, 5, 6, 7]
    assert gaps.total == 4


def test_a_grid_says_what_it_is_not_given():
    with pytest.raises(RecordingError, match="x, row 1: there is no time"):
        Grid("x").feed(np.array([0.0, np.nan]), lambda row: f"row {row}")


def test_of_several_times_the_one_that_rises_in_every_row_is_taken(tmp_path):
    # As sensors send them: a packet of 73 samples has one time of arrival; their own clock counts
    # nanoseconds since 2000.
    rows = [
        f"2021-03-05T17:00:{n // 73:02}.402;{599616032453193156 + n * 10_000_000};{n % 9}"
        for n in range(400)
    ]
    path = tmp_path / "rec.csv"
    path.write_text("Phone timestamp;sensor timestamp [ns];ecg [uV]\n" + "\n".join(rows))
    source = open_text(path)
    assert (source.fs, source.leads, source.n_samples) == (100.0, ("ecg",), 400)
    assert source.start is None


def test_a_table_that_says_its_separator(tmp_path):
    path = tmp_path / "rec.csv"
    path.write_text("sep=;\nt [s];ECG [mV]\n0,000;0,5\n0,004;0,25\n0,008;1,0\n")
    source = open_text(path)
    assert (source.fs, source.leads) == (250.0, ("ECG",))
    assert source.read()[:, 0].tolist() == [0.5, 0.25, 1.0]
