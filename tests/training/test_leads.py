"""Leads to train the beat finder on: where beats are, where nobody can say, and which noise."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load, load_flutter
from ectopy.data.nstdb import KINDS, TRAIN_PART
from ectopy.errors import DataError
from ectopy.evaluation.noise import noise_amplitude
from ectopy.signal.frames import FRAME_HZ
from ectopy.training.leads import SIMULATED_S, noise_frames, record_leads, simulated_leads
from ectopy.training.recipe import SIMULATED_MOST_S
from ectopy.training.segments import _STRETCH

ENDS = round(0.5 * FRAME_HZ)


@pytest.fixture
def nstdb_here(made_up_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECTOPY_DATA", str(made_up_data))


def test_a_record(made_up_mitdb):
    recording, beats = load("102", made_up_mitdb)
    (lead,) = record_leads(["102"], made_up_mitdb)
    assert lead.name == "102"
    n_frames = -(-recording.n_samples // 3)
    assert lead.frames.shape == (2, n_frames)
    assert lead.frames.dtype == np.float32
    assert lead.peaks.tolist() == (beats.peaks / 3).tolist()
    others = beats.classes != CLASSES.index("N")
    assert 0 < others.sum() < len(beats)
    assert lead.ectopic.tolist() == lead.peaks[others].tolist()
    assert lead.unsure.shape == (n_frames,)
    assert np.flatnonzero(~lead.unsure)[[0, -1]].tolist() == [ENDS, n_frames - ENDS - 1]


def test_records_come_in_the_order_asked_for(made_up_mitdb):
    names = ["203", "101", "114"]
    assert [lead.name for lead in record_leads(names, made_up_mitdb)] == names
    assert record_leads([], made_up_mitdb) == []


def test_each_lead_is_in_units_of_its_own_usual_deflection(made_up_mitdb):
    (lead,) = record_leads(["101"], made_up_mitdb)  # the second lead is half the first, inverted
    np.testing.assert_allclose(lead.frames[1], -lead.frames[0], atol=0.05)
    seconds = lead.frames[:, : len(lead.unsure) // 120 * 120].reshape(2, -1, 120)
    usual = np.percentile(np.ptp(seconds, axis=-1), 60, axis=-1)
    np.testing.assert_allclose(usual, 2, rtol=1e-5)


def test_a_lead_without_signal_is_not_blown_up(made_up_mitdb, tmp_path):
    import wfdb

    shutil.copy(made_up_mitdb / "101.atr", tmp_path)
    counts = np.zeros((4232, 2), dtype=np.int64)
    counts[:, 1] = np.random.default_rng(0).integers(-1, 2, 4232)  # one step of the converter
    wfdb.wrsamp(
        "101",
        fs=360,
        units=["mV", "mV"],
        sig_name=["MLII", "V1"],
        d_signal=counts,
        fmt=["212", "212"],
        adc_gain=[200, 200],
        baseline=[0, 0],
        write_dir=str(tmp_path),
    )
    (lead,) = record_leads(["101"], tmp_path)
    assert (lead.frames[0] == 0).all()
    assert 0 < np.abs(lead.frames[1]).max() < 0.5


def test_flutter_is_where_nobody_can_say(made_up_mitdb, tmp_path):
    import wfdb

    for suffix in (".hea", ".dat"):
        shutil.copy(made_up_mitdb / f"101{suffix}", tmp_path)
    wfdb.wrann(
        "101",
        "atr",
        sample=np.array([600, 1200, 1350, 1500, 2400, 3000]),
        symbol=["N", "[", "!", "]", "V", "N"],
        write_dir=str(tmp_path),
    )
    (lead,) = record_leads(["101"], tmp_path)
    inside = np.flatnonzero(lead.unsure[ENDS:-ENDS]) + ENDS
    assert inside.tolist() == list(range(400 - 12, 500 + 12))  # with 0.1 s on either side
    assert lead.peaks.tolist() == [200, 800, 1000]
    assert lead.ectopic.tolist() == [800]


def test_a_database_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"^101\.hea, 101\.dat, 101\.atr of mitdb not found in "):
        record_leads(["101"], tmp_path)


def test_every_flutter_wave_of_record_207_is_masked(mitdb_dir):
    import wfdb

    marks = wfdb.rdann(str(mitdb_dir / "207"), "atr")
    waves = marks.sample[np.array(marks.symbol) == "!"]
    assert len(waves) == 472
    (lead,) = record_leads(["207"], mitdb_dir)
    assert lead.unsure[waves // 3].all()
    stretches = load_flutter("207", mitdb_dir)
    assert len(stretches) == 6
    # And not much besides: beats that were marked are still learned from.
    masked = lead.unsure[ENDS:-ENDS].sum() / FRAME_HZ
    flutter = sum(stop - start for start, stop in stretches) / 360
    assert flutter < masked < flutter + len(stretches) * 0.25
    sure = ~lead.unsure[lead.peaks.astype(np.int64)]
    assert sure.mean() > 0.99


def test_records_without_flutter_are_sure_of_all_but_their_ends(mitdb_dir):
    for lead in record_leads(["100", "200"], mitdb_dir):
        assert lead.unsure.sum() == 2 * ENDS


def test_simulated_patients_are_the_same_every_time():
    one, two = simulated_leads(2), simulated_leads(2)
    for a, b in zip(one, two, strict=True):
        assert a.frames.shape == (2, SIMULATED_S * FRAME_HZ)
        assert np.array_equal(a.frames, b.frames)
        assert np.array_equal(a.peaks, b.peaks)
        assert np.isfinite(a.frames).all()
        assert len(a.peaks) > 200
        assert a.unsure.sum() == 2 * ENDS
    assert len(one[0].peaks) != len(one[1].peaks)
    assert not np.array_equal(one[0].frames, one[1].frames)


def test_simulated_recordings_hold_the_longest_segment_there_may_be():
    assert SIMULATED_MOST_S * _STRETCH[1] + 1 < SIMULATED_S


@pytest.mark.usefixtures("nstdb_here")
def test_noise_is_of_the_part_for_training_alone():
    noise = noise_frames()
    assert set(noise) == set(KINDS)
    for kind, recorded in noise.items():
        first, last = TRAIN_PART[kind]
        channels = recorded.channels
        assert channels.shape == (2, round((last - first) * FRAME_HZ))
        assert channels.dtype == np.float32
        np.testing.assert_allclose(noise_amplitude(channels.T, FRAME_HZ), 1, rtol=1e-4)
        assert channels[:, -1000:].std() > 0.3
        # Within 2.5 mV in that part, and 10 mV after it: 17 times the amplitude.
        assert np.abs(channels).max() < 8


def test_noise_from_a_folder(made_up_data, monkeypatch):
    monkeypatch.setenv("ECTOPY_DATA", str(made_up_data))
    expected = noise_frames()
    monkeypatch.setenv("ECTOPY_DATA", "/no/such/folder")
    found = noise_frames(made_up_data / "nstdb")
    for kind in KINDS:
        assert np.array_equal(found[kind].channels, expected[kind].channels)
    with pytest.raises(DataError, match=r"^bw\.hea, bw\.dat of nstdb not found in /no/such/folder"):
        noise_frames()
