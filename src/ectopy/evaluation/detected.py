"""The protocol `detected`: beats found in the raw signal of patients never seen, scored as EC57.

A beat finder is judged by itself and beside others; a model that classes beats together with the
shipped finder, `ectopy.evaluation.detected_classes`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ectopy._version import code_version
from ectopy.data.protocols import DETECTED, DS2, SAME_SUBJECT
from ectopy.errors import ProtocolError
from ectopy.evaluation.detected_classes import evaluate_detected_classes
from ectopy.evaluation.finding import evaluate_finder, noise_curves, stability
from ectopy.evaluation.peers import PEERS, get_peer, peer_versions
from ectopy.inference.finder import BeatFinder
from ectopy.models.bundle import Bundle, find_bundle, shipped_bundles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

NOISE_LEVELS_DB = (12.0, 6.0, 0.0)


class _Find:
    """A finder as a function that can be sent to another process."""

    def __init__(self, model: str | Path, threads: int) -> None:
        self.model, self.threads = model, threads
        self._finder: BeatFinder | None = None

    def __call__(self, signal_mv: NDArray[Any], fs: float) -> NDArray[Any]:
        if self._finder is None:
            self._finder = BeatFinder(self.model, threads=self.threads)
        return self._finder.find(signal_mv, fs).peaks

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "threads": self.threads, "_finder": None}


def evaluate_detected(
    model: str | Path,
    *,
    peers: bool = False,
    noise: bool = False,
    forms: bool = False,
    records: Sequence[str] | None = None,
    allow_leak: bool = False,
    folder: Path | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """Judge a beat finder, or a model that classes what was found, on the test patients.

    Parameters
    ----------
    model : str or Path
        As `detected_bundle` takes it.
    peers : bool
        With a beat finder: judge sleepecg, wfdb's XQRS and NeuroKit2 on the same signals.
    noise : bool
        With a beat finder: also with electrode motion added, `ectopy.evaluation.noise_curves`: in
        ``noise`` calibrated on the stretch that is added, in ``noise_as_nst`` as the WFDB tool
        does.
    forms : bool
        With a beat finder: also whether the same recording at other sampling frequencies, upside
        down or at another gain gives the same beats, `ectopy.evaluation.stability`.
    records : sequence of str
        Records to judge on: DS2 unless given.
    allow_leak : bool
        Judge even on records that were trained on; the result says so.
    folder : Path, optional
        Folder of the database.
    jobs : int
        Number of processes.

    Returns
    -------
    dict
        Ready for JSON. Of a beat finder ``finders`` has what `evaluate_finder` says of each, the
        model's own first; of a model that classes beats it is what `evaluate_detected_classes`
        gives.

    Raises
    ------
    ProtocolError
        If the model was trained on one of the records, or classes beats and `peers`, `noise` or
        `forms` is asked for.
    BundleError, DataError, MissingExtra
        If the bundle, the database or a peer's package is not there.
    """
    bundle = detected_bundle(model)
    where = "DS2" if records is None else f"{len(records)} chosen records"
    records = DS2 if records is None else records
    if not bundle.finds:
        if peers or noise or forms:
            msg = "--peers, --noise, --forms and --figure judge what finds beats, and "
            raise ProtocolError(f"{msg}{bundle.full_name} classes them; leave them out")
        return evaluate_detected_classes(
            bundle, records, title=where, allow_leak=allow_leak, folder=folder, jobs=jobs
        )
    shared = sorted(set(bundle.config["training"]["records"]) & set(records))
    leak = f"it was trained on records {', '.join(shared)}" if shared else None
    if leak and not allow_leak:
        msg = f"{bundle.full_name} may not be judged on these records: {leak}"
        raise ProtocolError(f"{msg}; --allow-leak judges it all the same and says so")
    finders = {bundle.config["model"]: _Find(bundle.folder, 1 if jobs > 1 else 2)}
    others = {name: get_peer(name) for name in PEERS} if peers else {}
    options: dict[str, Any] = {"folder": folder, "jobs": jobs}
    results = {
        "model": bundle.full_name,
        "protocol": DETECTED,
        "protocol_title": f"beats found in the raw signal of {where}, scored as EC57; lead 0",
        "leak": leak,
        "finders": {
            name: evaluate_finder(find, records, **options)
            for name, find in (finders | others).items()
        },
        "peer_versions": peer_versions() if peers else {},
        "params": bundle.n_parameters,
        "weights_sha256": bundle.weights_sha256,
        "code_version": code_version(),
        "notes": _notes(),
    }
    if noise:
        judge = partial(
            noise_curves, finders | others, records, levels_db=NOISE_LEVELS_DB, **options
        )
        # Calibrated on the stretch that is added, so that a level is what it says; and on the start
        # of the whole noise record, as `nst` does, which is far quieter than what follows.
        results["noise"] = judge(calibrate_on="part")
        results["noise_as_nst"] = judge(calibrate_on="record", schedules=("alternating",))
    if forms:
        results["forms"] = {
            name: stability(find, records, **options) for name, find in finders.items()
        }
    return results


def detected_bundle(model: str | Path) -> Bundle:
    """Find the bundle that this protocol judges.

    Parameters
    ----------
    model : str or Path
        As in `ectopy.models.bundle.find_bundle`; a bare model name means the bundle that was
        trained for `inter`, where there is one.

    Raises
    ------
    BundleError
        If there is none, or it is damaged.
    """
    return find_bundle(model, "inter" if f"{model}/inter" in shipped_bundles() else None)


def _notes() -> list[str]:
    pairs = ", ".join(f"{a} and {b}" for a, b in SAME_SUBJECT.items())
    return [
        f"records {pairs} are one subject, on both sides of the split as published",
        "beats of all symbols count as beats; only the first five minutes are left out",
        "finders' seconds are wall time on the machine at hand; compare them with each other only",
    ]
