"""`ectopy simulate`, read back."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from ectopy.cli import app
from ectopy.errors import EctopyError
from ectopy.readers import read, read_annotations
from ectopy.simulate import simulate

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index")


def run(*arguments: object):
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def test_what_is_written_is_what_is_simulated(tmp_path):
    import wfdb

    record = tmp_path / "new" / "patient-1"
    result = run(record, "--hours", 0.05, "--fs", 250, "--seed", 7, "--dropouts", 360)
    assert result.exit_code == 0, result.output
    made, truth = simulate(180, fs=250, seed=7, noise_mv=0.02, dropouts_per_hour=360)
    back = read(record)
    assert (back.fs, back.leads, back.n_samples) == (250, ("MLII", "V1"), 45_000)
    np.testing.assert_allclose(back.signal_mv, made.signal_mv, atol=0.5 / 200 + 1e-6)
    beats = read_annotations(record, "atr")
    assert beats.peaks.tolist() == truth.peaks.tolist()
    assert beats.symbols.tolist() == truth.symbols.tolist()

    theirs = wfdb.rdrecord(str(record), physical=False)
    assert [total % 65536 for total in theirs.checksum] == list(theirs.calc_checksum())
    assert theirs.init_value == theirs.d_signal[0].tolist()
    assert wfdb.rdann(str(record), "atr").fs == 250


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("a b", (), "record name 'a b'"),
        ("r", ("--rhythm", "tango"), "unknown rhythm 'tango'"),
        ("r", ("--fs", 10), "fs 10 Hz cannot be simulated"),
        ("r", ("--hours", 0), "duration_s"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, name, more, said):
    result = run(tmp_path / "out" / name, *more)
    assert isinstance(result.exception, EctopyError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()
