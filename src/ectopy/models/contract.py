"""Input contracts: what a bundle's model expects, so that inference does that and nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from ectopy.errors import BundleError
from ectopy.recording import PREFERRED_LEADS
from ectopy.signal.rhythm import RHYTHM_FEATURES
from ectopy.signal.typical import STEADINESS

MOST_PAST, MOST_FUTURE = 828, 294
"""Frames before and after a step that a finder's network may look at: what inference gives it."""


class _Contract:
    """What both kinds of contract do: come out of a configuration, strictly, and refuse."""

    @classmethod
    def _table(cls, table: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(table, dict):
            msg = f"input contract {table!r} is no table; fetch the bundle again"
            raise BundleError(msg)
        fields = getattr(cls, "__dataclass_fields__", {})
        known = {name: table[name] for name in fields if name in table}
        unknown = sorted(set(table) - set(known))
        if unknown:
            msg = f"input contract has an unknown entry {unknown[0]!r}; update ectopy"
            raise BundleError(msg)
        return known

    def _refused(self, name: str, expected: str) -> BundleError:
        found = getattr(self, name)
        return BundleError(
            f"input contract asks for {name} = {found!r}, this version of ectopy does {expected}; "
            "update ectopy or train the model again"
        )


@dataclass(frozen=True)
class InputContract(_Contract):
    """What a model expects of its input.

    Attributes
    ----------
    fs : float
        Sampling frequency in Hz that the window is cut at.
    before, after : int
        Samples of the window before the peak, and from the peak on.
    unit : str
        Unit of the signal before normalisation.
    filter : str
        Filter applied to the signal before windows are cut.
    normalisation : str
        What is done to each window.
    edges : str
        What stands in for samples beyond the ends of the recording.
    fiducial : str
        Which point of the beat the window is centred on.
    lead_by : {"index", "name"}
        How the lead of each training record was chosen.
    lead_preference : tuple of str
        Leads to take first when analysing, by name.
    rhythm_features : tuple of str
        Features of all the recording's beats that go in beside the window: none, or those of
        `ectopy.signal.typical.beat_inputs`.
    typical_beats : str
        Which typical beats of the recording go in beside the window.
    """

    fs: float = 360.0
    before: int = 128
    after: int = 128
    unit: str = "mV"
    filter: str = "none"
    normalisation: str = "z-score of each window, population standard deviation"
    edges: str = "end samples repeated"
    fiducial: str = "annotated sample of the MIT-BIH Arrhythmia Database: the QRS's main peak"
    lead_by: Literal["index", "name"] = "name"
    lead_preference: tuple[str, ...] = PREFERRED_LEADS
    rhythm_features: tuple[str, ...] = ()
    typical_beats: str = "none"

    @property
    def reads_rhythm(self) -> bool:
        """Whether a beat's class depends on the other beats of the recording."""
        return bool(self.rhythm_features)

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Self:
        """Read it back from a configuration.

        Raises
        ------
        BundleError
            If it asks for something that this version does not know.
        """
        known = cls._table(table)
        for name in ("lead_preference", "rhythm_features"):
            known[name] = tuple(known.get(name, ()))
        contract = cls(**known)
        contract._check()
        return contract

    def _check(self) -> None:
        """Refuse what inference would not do: better no result than one of another input."""
        does = rhythm_contract() if self.reads_rhythm else InputContract()
        # The fiducial point is a description; the other texts name what this version does.
        names = ["rhythm_features", "typical_beats", "unit", "filter", "normalisation", "edges"]
        if self.reads_rhythm:  # features and typical beats are made at one rate, one length only
            names += ["fs", "before", "after"]
        for name in names:
            if getattr(self, name) != getattr(does, name):
                raise self._refused(name, repr(getattr(does, name)))
        if self.lead_by not in ("index", "name"):
            raise self._refused("lead_by", "'index' or 'name'")
        if isinstance(self.fs, bool) or not isinstance(self.fs, int | float) or self.fs <= 0:
            raise self._refused("fs", "a number above 0")
        for name in ("before", "after"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise self._refused(name, "a whole number above 0")


def rhythm_contract(lead_by: Literal["index", "name"] = "name") -> InputContract:
    """State what the rhythm models expect: windows, typical beats and rhythm features."""
    return InputContract(
        normalisation="mean of each window taken off",
        rhythm_features=(*RHYTHM_FEATURES, STEADINESS),
        typical_beats="of the half hour and of the 60 beats around: median of those that come late",
        lead_by=lead_by,
    )


@dataclass(frozen=True)
class FinderContract(_Contract):
    """What a model that finds beats expects of its input.

    Attributes
    ----------
    frame_hz : float
        Rate of the frames it reads, Hz.
    filter : str
        What makes frames of samples.
    level : str
        What frames are divided by.
    gaps : str
        What stands in for missing samples and flat lines.
    stride : int
        Frames of one step of its output.
    output : str
        What it says of each step.
    picking : str
        How beats come out of that.
    past, future : int
        Frames before and after the first frame of a step that its answer may depend on.
    threshold : float
        Least confidence of a beat, from 0 to 1.
    refractory_s : float
        Of beats closer than this, in seconds, the surest stays.
    fiducial : str
        Which point of the beat it was taught.
    """

    frame_hz: float = 120.0
    filter: str = "low-pass 36 Hz (Kaiser, 0.125 s), less a running mean (0.6 s, twice)"
    level: str = (
        "60th percentile of the largest deflection a second, 9 s before to 1 s after; asinh(2 x)"
    )
    gaps: str = "line; from 0.05 s on, and where flat for 0.2 s, last value held and step removed"
    stride: int = 4
    output: str = "logit of a beat within 1.5 steps, and its distance in steps"
    picking: str = "peaks after two running means of 3 steps; place by 3, confidence by 7 steps"
    past: int = 776
    future: int = 260
    threshold: float = 0.5
    refractory_s: float = 0.2
    fiducial: str = "annotated sample of the MIT-BIH Arrhythmia Database: the QRS's main peak"

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Self:
        """Read it back from a configuration.

        Raises
        ------
        BundleError
            If it asks for something that this version does not know, or was written before all of
            it was stated.
        """
        contract = cls(**cls._table(table))
        does = cls()
        missing = sorted({"picking", "past", "future"} - set(table))
        if missing:
            msg = f"input contract does not say {missing[0]!r}: the bundle was made by another "
            raise BundleError(msg + "version of ectopy; fetch it again or train the model again")
        for name in (
            "frame_hz",
            "filter",
            "level",
            "gaps",
            "stride",
            "output",
            "picking",
            "refractory_s",
        ):
            if getattr(contract, name) != getattr(does, name):
                raise contract._refused(name, repr(getattr(does, name)))
        for name, most in (("past", MOST_PAST), ("future", MOST_FUTURE)):
            value = getattr(contract, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
                raise contract._refused(name, f"0 to {most} frames")
        threshold = contract.threshold
        if isinstance(threshold, bool) or not isinstance(threshold, float) or not 0 < threshold < 1:
            raise contract._refused("threshold", "a number above 0 and below 1")
        return contract


def contract_to_dict(contract: InputContract | FinderContract) -> dict[str, Any]:
    """Plain data, for config.json."""
    return asdict(contract)
