"""What a simulation is told: every setting with its unit, its default and its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral

from ectopy.errors import SignalError

SINUS = "sinus"
BIGEMINY = "bigeminy"
TRIGEMINY = "trigeminy"
VENTRICULAR_RUN = "ventricular run"
SUPRAVENTRICULAR_RUN = "supraventricular run"
FIBRILLATION = "atrial fibrillation"
PACED = "paced"
MIXED = "mixed"

SHARES: dict[str, dict[str, float]] = {
    SINUS: {"s_share": 0.0, "v_share": 0.0, "f_share": 0.0, "paced_share": 0.0},
    BIGEMINY: {},
    TRIGEMINY: {},
    VENTRICULAR_RUN: {},
    SUPRAVENTRICULAR_RUN: {},
    FIBRILLATION: {"v_share": 0.0},
    PACED: {"v_share": 0.0},
    MIXED: {
        "s_share": 0.06,
        "v_share": 0.08,
        "f_share": 0.02,
        "paced_share": 0.06,
        "af_share": 0.08,
    },
}
"""The shares that can be set for each rhythm, and what they are where nobody sets them."""

RHYTHMS = tuple(SHARES)
"""Names of the rhythms that can be simulated."""

LOWEST_FS = 50.0  # below this a QRS of 0.09 s has fewer than five samples
MOST_ECTOPIC = 0.4  # each ectopic beat needs a basic beat before it, and some room to be random
MOST_OTHER = 0.8  # the rest is sinus rhythm, from which every episode starts


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Everything that decides a simulated recording but its length.

    Equal settings give equal arrays. Each part has its own random stream, so that another noise
    level leaves the beats as they are, and another `fs` samples the same beats.

    Attributes
    ----------
    fs : float
        Sampling frequency in Hz, at least 50.
    seed : int
        Chooses the patient (wave shapes, ectopic foci, breathing) and every random event.
    rhythm : str
        One of `RHYTHMS`. "sinus" is sinus rhythm with single premature beats; "bigeminy" and
        "trigeminy" have a ventricular beat in every second or third place; "ventricular run" and
        "supraventricular run" are sinus rhythm with runs of three or more; "atrial fibrillation"
        has irregular beats without P waves; "paced" is ventricular pacing at a fixed rate;
        "mixed" is a random sequence of all of these.
    heart_rate_bpm : float
        Mean rate of sinus rhythm and of the pacemaker in beats a minute, 30 to 200. Atrial
        fibrillation runs 1.2 times faster.
    s_share, v_share, f_share : float, optional
        Shares of all beats that are supraventricular, ventricular and fusion beats; together at
        most 0.4. Where a share is None it is the rhythm's own: that of `SHARES` for "mixed", 0
        for the rest. Rhythms whose pattern fixes the classes take no shares.
    paced_share, af_share : float, optional
        Shares of all beats in paced episodes and in atrial fibrillation.
    interpolated_share : float
        Share of the single ventricular beats in sinus rhythm that fall between two sinus beats
        without disturbing them; the others are followed by a full compensatory pause. Used where
        an RR interval exceeds 0.7 s.
    noise_mv : float
        Root mean square of the muscle and amplifier noise in mV; it swells and ebbs.
    wander_mv : float
        Root mean square of the baseline wander (0.03 to 0.5 Hz, part of it breathing) in mV.
    mains_mv : float
        Amplitude of the mains hum in mV.
    mains_hz : float
        Frequency of the mains in Hz. Hum at or above half of `fs` is left out, as a recorder's
        anti-aliasing filter would.
    dropouts_per_hour : float
        Mean number of electrode drop-outs an hour, at most 360. For 0.5 to 6 s both leads lie
        flat, at zero or at the amplifier's limit, then recover. Beats under a drop-out stay in
        the truth.

    Raises
    ------
    SignalError
        If a setting is out of its limits.

    Examples
    --------
    >>> Simulation(rhythm="sinus", v_share=0.1).shares["v_share"]
    0.1
    """

    fs: float = 360.0
    seed: int = 0
    rhythm: str = MIXED
    heart_rate_bpm: float = 72.0
    s_share: float | None = None
    v_share: float | None = None
    f_share: float | None = None
    paced_share: float | None = None
    af_share: float | None = None
    interpolated_share: float = 0.03
    noise_mv: float = 0.02
    wander_mv: float = 0.1
    mains_mv: float = 0.01
    mains_hz: float = 60.0
    dropouts_per_hour: float = 0.0

    def __post_init__(self) -> None:
        if self.rhythm not in SHARES:
            msg = f"unknown rhythm {self.rhythm!r}; choose one of: {', '.join(RHYTHMS)}"
            raise SignalError(msg)
        if not isinstance(self.seed, Integral) or self.seed < 0:
            msg = f"seed {self.seed!r} is not usable; give a whole number from 0"
            raise SignalError(msg)
        self._check_range("fs", LOWEST_FS, math.inf, "Hz")
        self._check_range("heart_rate_bpm", 30.0, 200.0, "beats a minute")
        self._check_range("mains_hz", 1.0, 1000.0, "Hz")
        self._check_range("dropouts_per_hour", 0.0, 360.0, "an hour")
        for level in ("noise_mv", "wander_mv", "mains_mv"):
            self._check_range(level, 0.0, 10.0, "mV")
        self._check_shares()

    def _check_range(self, name: str, lowest: float, highest: float, unit: str) -> None:
        value = getattr(self, name)
        if not (math.isfinite(value) and lowest <= value <= highest):
            limits = (
                f"{lowest:g} or more" if math.isinf(highest) else f"from {lowest:g} to {highest:g}"
            )
            msg = f"{name} {value:g} {unit} cannot be simulated; give {limits}"
            raise SignalError(msg)

    def _check_shares(self) -> None:
        for name in (f.name for f in fields(self) if f.name.endswith("_share")):
            value = getattr(self, name)
            if value is None:
                continue
            if not 0 <= value < 1:
                msg = f"{name} {value:g} is not a share of beats; give 0 or more and less than 1"
                raise SignalError(msg)
            if name != "interpolated_share" and name not in SHARES[self.rhythm]:
                takes = ", ".join(SHARES[self.rhythm]) or "no shares, its pattern fixes them"
                msg = f"{name} does not apply to rhythm {self.rhythm!r}, which takes {takes}"
                raise SignalError(msg)
        shares = self.shares
        ectopic = shares["s_share"] + shares["v_share"] + shares["f_share"]
        for what, total, most in (
            ("s_share, v_share and f_share", ectopic, MOST_ECTOPIC),
            ("all shares", sum(shares.values()), MOST_OTHER),
        ):
            if total > most + 1e-9:
                msg = f"{what} sum to {total:g}; give at most {most:g}, the rest are basic beats"
                raise SignalError(msg)

    @property
    def shares(self) -> dict[str, float]:
        """The five shares with the rhythm's own values where none are set."""
        own = SHARES[self.rhythm]
        return {
            name: own.get(name, 0.0) if getattr(self, name) is None else getattr(self, name)
            for name in SHARES[MIXED]
        }
