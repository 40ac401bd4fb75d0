"""`ectopy stream`: beats while samples still come, and every way that it can end."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from ectopy.analysis import BEAT_COLUMNS
from ectopy.cli import app
from ectopy.errors import EctopyError
from ectopy.inference.stream import Stream
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

FS = 125
SINGLE = "cnn-mlp/inter"
CODE = (
    "import signal; from ectopy.cli import main; "
    # A suite that runs in the background ignores the signal, and so would its children.
    "signal.signal(signal.SIGINT, signal.default_int_handler); main()"
)
COMMAND = [sys.executable, "-c", CODE, "stream", "--fs", str(FS)]


@pytest.fixture(scope="module")
def lead() -> np.ndarray:
    recording, _ = simulate(40, fs=FS, seed=3, rhythm="mixed", dropouts_per_hour=0)
    return recording.signal_mv[:, 0].round(4)


@pytest.fixture(scope="module")
def rows(lead) -> list[dict]:
    """What the Python interface gives for the whole lead."""
    stream = Stream(FS, SINGLE)
    return [*stream.push(lead).rows(), *stream.finish().rows()]


def as_text(values: np.ndarray) -> str:
    return "".join("\n" if np.isnan(value) else f"{value:.4f}\n" for value in values)


def run(data: str | bytes, *options: str, model: str = SINGLE) -> str:
    arguments = ["stream", "--fs", str(FS), "--model", model, *options]
    result = CliRunner().invoke(app, arguments, input=data)
    if isinstance(result.exception, EctopyError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def assert_rows(found: list[dict], expected: list[dict]) -> None:
    assert len(found) == len(expected) > 30
    for one, other in zip(found, expected, strict=True):
        assert tuple(one) == BEAT_COLUMNS
        assert one == pytest.approx(other, abs=1e-4)


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


# --- what goes in and what comes out -------------------------------------------------------------


def test_json_lines(lead, rows):
    assert_rows(lines(run(as_text(lead))), rows)


def test_csv(lead, rows):
    text = run(as_text(lead), "--csv")
    found = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[0] == ",".join(BEAT_COLUMNS)
    assert found[0]["rr_s"] == ""
    words = {"class"}
    numbers = [
        {k: v if k in words else None if v == "" else float(v) for k, v in row.items()}
        for row in found
    ]
    assert_rows(numbers, rows)


def test_a_rhythm_model_is_the_default(lead):
    text = CliRunner().invoke(app, ["stream", "--fs", str(FS)], input=as_text(lead)).stdout
    stream = Stream(FS)
    assert_rows(lines(text), [*stream.push(lead).rows(), *stream.finish().rows()])


def test_units_columns_and_raw_samples(lead, rows):
    assert_rows(lines(run(as_text(1000 * lead), "--unit", "uV")), rows)
    assert_rows(lines(run(as_text(200 * lead), "--unit", "200")), rows)
    table = "time,II\n" + "".join(f"{k},{value:.4f}\n" for k, value in enumerate(lead))
    assert_rows(lines(run(table, "--column", "II")), rows)
    assert_rows(lines(run(table, "--column", "1")), rows)
    raw = lead.astype("<f4").tobytes()
    assert_rows(lines(run(raw, "--dtype", "float32")), rows)
    counts = np.rint(lead * 10_000).astype("<i2").tobytes()
    assert_rows(lines(run(counts, "--dtype", "int16", "--unit", "10000")), rows)


def test_blank_lines_are_missing_samples(lead):
    gap = lead.copy()
    gap[1000:1400] = np.nan
    found = lines(run(as_text(gap)))
    assert not [row for row in found if 1000 <= row["sample"] < 1400]
    assert found[-1]["sample"] > 4000


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("0.1\n0.2\nx\n", (), "standard input, line 3: 'x' is no number; correct it, or"),
        ("0.1\n", (), "a signal of 1 samples at 125 Hz is too short; beats need at least 1 s"),
        ("", (), "a signal of 0 samples at 125 Hz is too short"),
        ("1\n2\n" * 200, (), "standard input holds whole numbers of unknown size; give the ADC"),
        ("1\n2\n" * 20, (), "standard input holds whole numbers of unknown size; give the ADC"),
        ("0.1\n", ("--unit", "bpm"), "unit 'bpm' is not known; give mV, uV, V or the ADC counts"),
        ("0.1\n", ("--dtype", "int8"), "dtype 'int8' is not known; expected int16 or float32"),
        ("", ("--dtype", "int16", "--column", "1"), "--column 1 goes with text; raw samples are"),
        (b"\1" * 601, ("--dtype", "int16", "--unit", "mV"), "standard input ends within a sample"),
    ],
)
def test_what_is_refused(data, options, message):
    with pytest.raises(EctopyError) as caught:
        run(data, *options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_no_beat_is_said():
    result = CliRunner().invoke(
        app, ["stream", "--fs", str(FS), "--model", SINGLE], input="0.5\n" * 1000
    )
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "no beat found; is that the lead, and its --fs?\n"


# --- as a process --------------------------------------------------------------------------------


class Running:
    """The command as a process of its own whose lines are read as they come."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--model", SINGLE, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    def feed(self, values: np.ndarray) -> None:
        self.process.stdin.write(as_text(values).encode())
        self.process.stdin.flush()

    def wait_for_lines(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.lines) < count and time.monotonic() < until:
            time.sleep(0.02)
        assert len(self.lines) >= count

    def end(self) -> tuple[int, str]:
        code = self.process.wait(60)
        self._reader.join(60)
        return code, self.process.stderr.read().decode()


@pytest.fixture(params=[()])
def running(request) -> Iterator[Running]:
    one = Running(*request.param)
    yield one
    one.process.kill()
    one.process.wait()
    for pipe in (one.process.stdin, one.process.stdout, one.process.stderr):
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def test_beats_come_before_the_end(running, lead, rows):
    """Fed slowly: what is certain is printed while more is awaited."""
    half = len(lead) // 2
    for start in range(0, half, 250):
        running.feed(lead[start : min(start + 250, half)])
        time.sleep(0.01)
    due = sum(row["sample"] < half - 7 * FS for row in rows)
    assert due > 8
    running.wait_for_lines(due)
    assert running.process.poll() is None
    running.feed(lead[half:])
    running.process.stdin.close()
    assert running.end() == (0, "")
    assert_rows(lines(b"".join(running.lines).decode()), rows)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_prints_what_is_left(running, lead, rows):
    running.feed(lead)
    running.wait_for_lines(sum(row["sample"] < len(lead) - 7 * FS for row in rows))
    time.sleep(1)  # until it waits for more
    running.process.send_signal(signal.SIGINT)
    assert running.end() == (130, "interrupted\n")
    assert_rows(lines(b"".join(running.lines).decode()), rows)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("running", [("--csv",)], indirect=True)
def test_ctrl_c_with_hardly_any_signal(running, lead):
    running.feed(lead[:50])
    running.wait_for_lines(1)  # the names of the columns: it is ready
    running.process.send_signal(signal.SIGINT)
    assert running.end() == (130, "interrupted\n")
    assert len(running.lines) == 1


def test_a_reader_that_has_seen_enough(lead):
    process = subprocess.Popen(
        [*COMMAND, "--model", SINGLE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    _, said = process.communicate(as_text(lead).encode(), timeout=60)
    assert said == b""
    assert process.returncode == 1


def test_errors_of_a_process_are_one_line(lead):
    done = subprocess.run(
        [*COMMAND, "--model", SINGLE],
        input=(as_text(lead[:300]) + "oops\n").encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: standard input, line 301: 'oops' is no number; ")
    assert done.stderr.count(b"\n") == 1
