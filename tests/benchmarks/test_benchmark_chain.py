"""The contestants of the chain do what they are timed for, from file to file."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import wfdb
from measuring import run_process, run_until_answer
from recordings import given_records, recording
from stream_latency import gathered, streamed, summary

import ectopy
from ectopy.simulate import Simulation, stream
from ectopy.writers.recordings import write_simulated

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    blocks = stream(Simulation(fs=360, seed=4), duration_s=30, block_s=30.0)
    write_simulated(blocks, folder, "half", fs=360, leads=("MLII", "V1"))
    return folder / "half"


def test_the_chain_of_public_parts_writes_annotations(record, tmp_path):
    if not (find_spec("neurokit2") and find_spec("torch")):
        pytest.skip("the chain of public parts needs the extras peers and train")
    script = BENCHMARKS / "peer_chain.py"
    subprocess.run([sys.executable, str(script), str(record), str(tmp_path / "out")], check=True)
    found = wfdb.rdann(str(tmp_path / "out" / "half"), "peer")
    truth = wfdb.rdann(str(record), "atr")
    assert abs(len(found.sample) - len(truth.sample)) <= 3
    near = sum(min(abs(truth.sample - sample)) < 36 for sample in found.sample)
    assert near >= 0.9 * len(found.sample)
    assert set(found.symbol) <= set("NSVFQ")
    assert found.symbol.count("N") > len(found.symbol) / 2


def test_a_process_is_timed_and_its_own_memory_told():
    lasting = run_process([sys.executable, "-c", "import time; time.sleep(0.3)"])
    assert lasting.wall_s >= 0.3 > lasting.cpu_s
    assert lasting.peak_mb < 40  # that of this process, with all it has imported, is more
    large = run_process([sys.executable, "-c", "bytearray(200 * 2**20)"])
    assert 200 < large.peak_mb < 260


def test_an_answer_ends_the_time():
    code = "import time; print('V', flush=True); time.sleep(0.5)"
    usage, answer = run_until_answer([sys.executable, "-c", code])
    assert answer == "V"
    assert usage.wall_s < 0.5


def test_a_command_that_fails_ends_the_benchmark():
    with pytest.raises(SystemExit, match="ended with 3"):
        run_process([sys.executable, "-c", "raise SystemExit(3)"])


def test_recordings_are_made_once_and_others_can_be_taken(tmp_path, record):
    made = recording(0.005, seed=1, folder=tmp_path)
    header = made.with_name(f"{made.name}.hea")
    before = header.stat().st_mtime_ns
    assert wfdb.rdheader(str(made)).sig_len == 0.005 * 3600 * 360
    assert recording(0.005, seed=1, folder=tmp_path) == made
    assert header.stat().st_mtime_ns == before
    there = given_records([f"24={record}"])
    assert recording(24, seed=1, folder=tmp_path, there=there) == record
    with pytest.raises(SystemExit, match="is not HOURS=PATH"):
        given_records([str(record)])
    with pytest.raises(SystemExit, match="there is no WFDB record"):
        given_records([f"24={tmp_path / 'none'}"])


def test_each_beat_of_a_stream_has_its_times(record):
    lead = ectopy.read(record).signal_mv[:, 0]
    begun = ectopy.Stream(360.0, "cnn-kan/inter")
    found = streamed(begun, lead, 36)
    assert len(found.peaks) == len(found.classes) > 20
    assert len(found.wait_s) == len(found.label_push_s) < len(found.peaks)  # the end brings some
    assert found.wait_s.max() <= begun.latency_s + 0.1
    assert len(found.push_s) == -(-len(lead) // 36)
    assert set(found.label_push_s) <= set(found.push_s)
    times = gathered([found, found])
    assert len(times["processing_ms"]) == 2 * len(times["signal_s"]) == 2 * (len(found.wait_s) - 16)
    assert summary(times)["signal_s_p50"] <= summary(times)["signal_s_p99_9"]
