"""Beat finders of other packages."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

from ectopy.errors import DataError, MissingExtra, SignalError
from ectopy.evaluation import peers
from ectopy.evaluation.peers import PEERS, get_peer, peer_versions


def ecg(fs: float, seconds: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A lead with a QRS complex of 40 ms and a T wave every 0.8 s, and where the complexes are."""
    time_s = np.arange(int(seconds * fs)) / fs
    peaks_s = np.arange(0.5, seconds - 0.5, 0.8)
    lead = 0.01 * np.random.default_rng(1).standard_normal(len(time_s))
    for at in peaks_s:
        lead += np.exp(-(((time_s - at) / 0.012) ** 2))
        lead += 0.2 * np.exp(-(((time_s - at - 0.28) / 0.05) ** 2))
    return lead.astype(np.float32), np.round(peaks_s * fs).astype(np.int64)


def found_share(peaks: np.ndarray, found: np.ndarray, fs: float) -> float:
    return float((np.abs(peaks[:, None] - found).min(axis=1) <= 0.05 * fs).mean())


@pytest.fixture(params=list(PEERS))
def find(request):
    pytest.importorskip({"xqrs": "wfdb"}.get(request.param, request.param))
    return get_peer(request.param)


@pytest.mark.parametrize("fs", [125, 250.0, 257.3, 500.0])
def test_peers_find_beats_at_usual_sampling_frequencies(find, fs):
    signal, peaks = ecg(fs)
    found = find(signal, fs)
    assert found.dtype == np.int64
    assert found.ndim == 1
    assert (np.diff(found) > 0).all()
    # Of 74 beats a peer may miss those it learns from.
    assert found_share(peaks, found, fs) > 0.9
    assert found_share(found, peaks, fs) > 0.95


def test_peers_get_bridged_samples_and_leave_the_signal_as_it_is(find):
    signal, peaks = ecg(250.0)
    signal[3000:3020] = np.nan
    before = signal.copy()
    found = find(signal, 250.0)
    assert np.array_equal(signal, before, equal_nan=True)
    assert found_share(peaks, found, 250.0) > 0.9


def test_peers_are_silent_and_can_be_sent_to_other_processes(find, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find(ecg(250.0)[0], 250.0)
    assert capfd.readouterr() == ("", "")
    # Functions are pickled by name.
    assert getattr(sys.modules[find.__module__], find.__qualname__) is find


def test_a_lead_without_samples(find):
    with pytest.raises(SignalError, match="all 500 samples are missing"):
        find(np.full(500, np.nan, dtype=np.float32), 250.0)


def test_unknown_peer():
    with pytest.raises(DataError) as error:
        get_peer("pantompkins")
    assert str(error.value) == (
        "unknown peer 'pantompkins'; choose one of: sleepecg, xqrs, neurokit2"
    )


@pytest.mark.parametrize(
    ("name", "package"),
    [("sleepecg", "sleepecg"), ("xqrs", "wfdb"), ("neurokit2", "neurokit2")],
)
def test_a_missing_package(monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.processing", None)
    message = f"the peer needs {package}; install it with: pip install 'ectopy[peers]'"
    for call in (lambda: get_peer(name), lambda: PEERS[name](ecg(250.0, 2)[0], 250.0)):
        with pytest.raises(MissingExtra) as error:
            call()
        assert str(error.value) == message


def test_a_broken_package_is_not_taken_for_a_missing_one(monkeypatch, tmp_path):
    (tmp_path / "sleepecg.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sleepecg", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        get_peer("sleepecg")


def test_versions():
    for package in ("sleepecg", "neurokit2"):
        pytest.importorskip(package)
    versions = peer_versions()
    assert set(versions) == set(PEERS)
    assert versions["xqrs"].startswith("wfdb 4")


def test_importing_peers_imports_none_of_them():
    code = (
        f"import sys, {peers.__name__}; "
        "print([m for m in ('sleepecg', 'wfdb', 'neurokit2', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
