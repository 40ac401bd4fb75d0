"""Recipes of the rhythm models."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ectopy.errors import RecipeError
from ectopy.training.recipe import (
    BelowOne,
    OptimizerSettings,
    ScheduleSettings,
    Share,
)


@dataclass(frozen=True)
class DressSettings:
    """How made-up beats are dressed with real shapes."""

    n_share: Share = 0.62  # of the made-up beats, relative to the other classes' shares
    s_share: Share = 0.12
    v_share: Share = 0.23
    f_share: Share = 0.03
    q_share: Share = 0.02
    real_s: Share = 0.15  # of S: a record's own; the others are normal beats with another P wave
    other_p: Share = 0.8  # of those: whether the P wave is changed
    crossed_v: Share = 0.5  # of V: another record's, fitted
    on_demand: Share = 1.0  # of Q: a paced record's beat fitted to a patient who is not paced
    other_conduction: Share = 0.08  # of N: another record's QRS complex and T wave
    lasting_change: Share = 0.05  # of N and S: the overall typical beat is another record's

    @property
    def shares(self) -> tuple[float, float, float, float, float]:
        """Of N, S, V, F and Q."""
        return self.n_share, self.s_share, self.v_share, self.f_share, self.q_share


@dataclass(frozen=True)
class DisturbSettings:
    """What is done to all training windows; heights in units of the typical QRS complex's."""

    stretch: float = 0.03  # SD of the logarithm of time's speed, of beat and typical beats
    own_stretch: float = 0.01  # and of the beat alone
    shift: float = 1.5  # SD of the peak's jitter, samples at 360 Hz
    gain: float = 0.08  # SD of the logarithm of the beat's own gain
    noise: Share = 0.6  # share of windows with white or smoothed noise
    noise_height: float = 0.025  # its median SD
    wander: Share = 0.5
    wander_height: float = 0.15  # SD of a slow sine's amplitude
    mains: Share = 0.2
    mains_height: float = 0.05
    invert: Share = 0.15  # upside down, beat and typical beats


@dataclass(frozen=True)
class RhythmRecipe:
    """One training run of a rhythm model, but for protocol and seed.

    Attributes
    ----------
    name, description : str
    max_epochs, batches_per_epoch : int
        Length of the run; an epoch is a number of batches, as beats are drawn at random.
    patience : int
        Epochs without a better `monitor` after which it stops, where there is a validation part.
    monitor : {"val_macro_f1"}
        What chooses the checkpoint where there is a validation part; the last epoch is kept
        otherwise.
    batch_size : int
        Beats.
    made_up_share : float
        Share of each batch with a made-up rhythm.
    made_up_patients : int
        How many patients the made-up rhythms are of.
    flatten : float
        From 0 to 1: how far the classes of a record are made equally frequent in the real part of
        a batch, and records as well; 0 leaves them as they are.
    paced_share : float
        How often beats of the paced records are drawn, relative to others.
    aberrated : bool
        Whether aberrated atrial beats are learnt: their QRS complexes are like ventricular ones.
    temperature : dict
        Temperature of each model's probabilities where there is no validation part, as fitted on
        patients held out.
    smoothness : float
        Weight in the loss of how far a KAN's functions bend: the squared second differences of
        their spline coefficients, as in P-splines (Eilers and Marx 1996, Statistical Science 11,
        section 3), so that they run on straight where few beats lie.
    gradient_clip, ema_decay, optimizer, schedule
        As in `ectopy.training.recipe.Recipe`.
    dress : DressSettings
    disturb : DisturbSettings
    model : dict
        Constructor settings for each model, by its name.
    """

    name: str
    description: str
    max_epochs: int = 15
    batches_per_epoch: int = 100
    patience: int = 15
    monitor: Literal["val_macro_f1"] = "val_macro_f1"
    batch_size: int = 384
    made_up_share: Share = 0.5
    made_up_patients: int = 500
    flatten: Share = 0.4
    paced_share: Share = 0.3
    aberrated: bool = False
    smoothness: float = 0.0
    gradient_clip: float = 1.0
    ema_decay: BelowOne = 0.99
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    dress: DressSettings = field(default_factory=DressSettings)
    disturb: DisturbSettings = field(default_factory=DisturbSettings)
    model: dict[str, dict[str, Any]] = field(default_factory=dict)
    temperature: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.temperature.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:
                msg = f"recipe value temperature: {name} = {value!r}: expected a number above 0"
                raise RecipeError(msg)
        if not any(self.dress.shares):
            msg = "recipe value dress: all shares are 0; expected one above 0"
            raise RecipeError(msg)

    @property
    def made_up_beats(self) -> int:
        """Beats of a batch that have made-up rhythms."""
        return round(self.batch_size * self.made_up_share)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)
