"""Beat finders of other packages, under the one signature that finders are judged by.

Each is called as its own documentation does it, with its defaults, on one lead in millivolts as
float64 with missing samples bridged, and says nothing while it works. Nothing is added to or taken
from what it finds, except that indices are sorted and none is given twice.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ectopy.errors import DataError, MissingExtra
from ectopy.signal.conditioning import fill_missing

if TYPE_CHECKING:
    from collections.abc import Mapping

Finder = Callable[[NDArray[np.float32], float], NDArray[np.int64]]
"""From one lead, float32 in millivolts with NaN where samples are missing, and its sampling
frequency in Hz to the sample indices of the beats, int64, ascending."""


def find_with_sleepecg(signal_mv: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
    """Find beats with `sleepecg.detect_heartbeats`, a Pan-Tompkins detector.

    Parameters
    ----------
    signal_mv : ndarray of float32, shape (samples,)
        One lead in millivolts.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray of int64, shape (beats,)

    Raises
    ------
    MissingExtra
        If sleepecg is not installed.
    """
    sleepecg = _package("sleepecg")
    with _quiet():
        return _in_order(sleepecg.detect_heartbeats(_ready(signal_mv), fs))


def find_with_xqrs(signal_mv: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
    """Find beats with `wfdb.processing.XQRS`, which learns from the first beats of the signal.

    Parameters, return value and errors are those of `find_with_sleepecg`, for wfdb.
    """
    processing = _package("wfdb.processing")
    with _quiet():
        return _in_order(processing.xqrs_detect(_ready(signal_mv), fs, verbose=False))


def find_with_neurokit2(signal_mv: NDArray[np.float32], fs: float) -> NDArray[np.int64]:
    """Find beats with `neurokit2.ecg_clean` and `ecg_peaks`, both by their own default method.

    Parameters, return value and errors are those of `find_with_sleepecg`, for neurokit2.
    """
    neurokit2 = _package("neurokit2")
    # It counts in whole samples: as a float, the sampling frequency is refused as a slice bound.
    rate = int(fs) if float(fs).is_integer() else fs
    with _quiet():
        cleaned = neurokit2.ecg_clean(_ready(signal_mv), sampling_rate=rate)
        _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=rate)
        return _in_order(found["ECG_R_Peaks"])


PEERS: Mapping[str, Finder] = MappingProxyType(
    {
        "sleepecg": find_with_sleepecg,
        "xqrs": find_with_xqrs,
        "neurokit2": find_with_neurokit2,
    }
)
"""Finders of other packages by name."""

_PACKAGES = {"sleepecg": "sleepecg", "xqrs": "wfdb", "neurokit2": "neurokit2"}


def get_peer(name: str) -> Finder:
    """Look a peer up, and see that its package is there.

    Parameters
    ----------
    name : str
        One of `PEERS`.

    Returns
    -------
    callable
        A function of a module, so that other processes can be given it.

    Raises
    ------
    DataError
        If there is no peer of that name.
    MissingExtra
        If its package is not installed.

    Examples
    --------
    >>> get_peer("xqrs").__name__
    'find_with_xqrs'
    """
    if name not in PEERS:
        msg = f"unknown peer {name!r}; choose one of: {', '.join(PEERS)}"
        raise DataError(msg)
    _package(_PACKAGES[name])
    return PEERS[name]


def peer_versions() -> dict[str, str]:
    """Package and version behind each peer, to go with its results.

    Raises
    ------
    MissingExtra
        If one of the packages is not installed.
    """
    versions = {}
    for name, package in _PACKAGES.items():
        _package(package)
        versions[name] = f"{package} {version(package)}"
    return versions


def _package(module: str) -> Any:
    with _quiet():
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            package = module.partition(".")[0]
            if (error.name or package).partition(".")[0] != package:
                raise  # it is there, but lacks something itself
            msg = f"the peer needs {package}; install it with: pip install 'ectopy[peers]'"
            raise MissingExtra(msg) from error


def _ready(signal_mv: NDArray[np.float32]) -> NDArray[np.float64]:
    return fill_missing(signal_mv)[0].astype(np.float64)


def _in_order(peaks: Any) -> NDArray[np.int64]:
    return np.unique(np.asarray(peaks, dtype=np.int64))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what a package prints or warns of to itself."""
    with (
        warnings.catch_warnings(),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
