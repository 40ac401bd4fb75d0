"""Noise records and their parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ectopy.data.nstdb import KINDS, TEST_PART, TRAIN_PART, load_noise
from ectopy.errors import DataError

FS = 360


def write_noise(folder: Path, kind: str, digital: np.ndarray) -> None:
    wfdb.wrsamp(
        kind,
        fs=FS,
        units=["mV", "mV"],
        sig_name=["noise1", "noise2"],
        d_signal=digital,
        fmt=["212", "212"],
        adc_gain=[200.0, 200.0],
        baseline=[0, 0],
        write_dir=str(folder),
    )


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record `em` of the real length whose first channel is its own clock, in seconds."""
    folder = tmp_path_factory.mktemp("nstdb")
    seconds = np.arange(1806 * FS) // FS
    write_noise(folder, "em", np.stack([seconds, -seconds], axis=1))
    return folder


@pytest.fixture(scope="module")
def nstdb_dir(data_dir: Path) -> Path:
    folder = data_dir / "nstdb"
    if not (folder / "em.dat").is_file():
        pytest.skip(f"no MIT-BIH Noise Stress Test Database in {folder}")
    return folder


def test_every_kind_has_both_parts_and_they_do_not_touch():
    assert set(KINDS) == set(TRAIN_PART) == set(TEST_PART) == {"bw", "em", "ma"}
    for kind in KINDS:
        assert TRAIN_PART[kind][0] < TRAIN_PART[kind][1] < TEST_PART[kind][0] < TEST_PART[kind][1]


@pytest.mark.parametrize(("part", "bounds"), [("train", TRAIN_PART), ("test", TEST_PART)])
def test_a_part_is_its_stretch_of_the_record(made_up, part, bounds):
    first, last = bounds["em"]
    noise = load_noise("em", part, made_up)
    assert noise.fs == FS
    assert noise.duration_s == last - first
    assert noise.signal_mv.dtype == np.float32
    clock = np.round(noise.signal_mv * 200)
    assert clock[[0, -1], 0].tolist() == [first, last - 1]
    assert (clock[:, 1] == -clock[:, 0]).all()


def test_all_is_the_whole_record(made_up):
    assert load_noise("em", "all", made_up).duration_s == 1806


def test_the_database_s_own_folder_is_the_default(made_up, monkeypatch, tmp_path):
    (tmp_path / "nstdb").symlink_to(made_up)
    monkeypatch.setenv("ECTOPY_DATA", str(tmp_path))
    assert load_noise("em", "test").n_samples == load_noise("em", "test", made_up).n_samples


@pytest.mark.parametrize(
    ("kind", "part", "message"),
    [
        ("hum", "test", "nstdb has no noise 'hum'; choose one of: bw, em, ma"),
        ("em", "rest", "noise has no part 'rest'; choose one of: train, test, all"),
    ],
)
def test_unknown_names(made_up, kind, part, message):
    with pytest.raises(DataError) as error:
        load_noise(kind, part, made_up)
    assert str(error.value) == message


def test_missing_files(tmp_path):
    with pytest.raises(DataError) as error:
        load_noise("ma", "train", tmp_path)
    assert str(error.value) == (
        f"ma.hea, ma.dat of nstdb not found in {tmp_path}: "
        f"run `ectopy data fetch nstdb --folder {tmp_path}`, "
        "or set ECTOPY_DATA to the folder that holds nstdb"
    )


def test_damaged_files(tmp_path):
    write_noise(tmp_path, "bw", np.zeros((1000, 2), dtype=np.int64))
    (tmp_path / "bw.dat").write_bytes(b"abc")
    with pytest.raises(DataError) as error:
        load_noise("bw", "all", tmp_path)
    assert str(error.value) == (
        f"noise record bw in {tmp_path} is damaged (bw.dat is cut short: it holds 1 samples of "
        "each signal, but bw.hea promises 1000; get the file again); "
        f"run `ectopy data fetch nstdb --folder {tmp_path}` to mend it"
    )


def test_a_record_that_is_too_short(tmp_path):
    write_noise(tmp_path, "bw", np.ones((400 * FS, 2), dtype=np.int64))
    assert load_noise("bw", "train", tmp_path).duration_s == 310
    with pytest.raises(DataError) as error:
        load_noise("bw", "test", tmp_path)
    assert str(error.value) == (
        "noise record bw lasts 400 s, but its test part ends at 625 s; "
        "it is not the record of nstdb"
    )


def most_alike(one: np.ndarray, other: np.ndarray, length: int) -> float:
    """Largest correlation of any stretch of `one`, of those cut end to end, with any of `other`."""
    size = 1 << int(np.ceil(np.log2(len(other) + length)))
    spectrum = np.fft.rfft(other, size)
    energy = np.cumsum(np.concatenate([[0.0], other**2]))
    energies = energy[length:] - energy[:-length]
    best = 0.0
    for start in range(0, len(one) - length + 1, length):
        stretch = one[start : start + length]
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(stretch, size)), size)
        alike = np.abs(products[: len(energies)]) / np.sqrt(energies * (stretch @ stretch))
        best = max(best, float(alike.max()))
    return best


def quick(noise_mv: np.ndarray) -> np.ndarray:
    """First channel at 90 Hz without its slow wander, of which any two stretches are alike."""
    from scipy.signal import butter, decimate, sosfiltfilt

    slow = decimate(noise_mv[:, 0].astype(np.float64), 4)
    return sosfiltfilt(butter(2, 1.0, "highpass", fs=90, output="sos"), slow)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bw", "em", "ma"])
def test_nothing_of_the_test_part_is_in_the_training_part(nstdb_dir, kind):
    test = quick(load_noise(kind, "test", nstdb_dir).signal_mv)
    train = quick(load_noise(kind, "train", nstdb_dir).signal_mv)
    assert most_alike(test, train, 10 * 90) < 0.75


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "is_copied"), [("bw", True), ("em", True), ("ma", False)])
def test_the_second_half_of_a_record_would_be_no_test(nstdb_dir, kind, is_copied):
    noise = quick(load_noise(kind, "all", nstdb_dir).signal_mv)
    later, first_half = noise[1150 * 90 : 1160 * 90], noise[: 900 * 90]
    assert (most_alike(later, first_half, 10 * 90) > 0.9) is is_copied
