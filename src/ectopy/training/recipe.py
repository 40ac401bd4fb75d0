"""Recipes: everything that decides a training run, read from one TOML file."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from ectopy.errors import RecipeError

Share = Annotated[float, "from 0 to 1"]
BelowOne = Annotated[float, "from 0, below 1"]

SIMULATED_MOST_S = 240.0
"""Longest training segment in seconds: simulated recordings have to be longer, stretched too."""

NUMBERS: dict[Any, tuple[float, str]] = {
    float: (math.inf, "a number of at least 0"),
    Share: (1.0, "a number from 0 to 1"),
    BelowOne: (math.nextafter(1.0, 0.0), "a number of at least 0 and below 1"),
}
"""Largest value of each kind of number, and how it is described."""


@dataclass(frozen=True)
class OptimizerSettings:
    """The optimiser; `weight_decay` is decoupled in `adamw` and an L2 penalty in `adam`."""

    name: Literal["adam", "adamw"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class ScheduleSettings:
    """How the learning rate moves.

    `one-cycle` rises to the optimiser's rate over the first `warmup` share of all steps and falls
    to zero along a cosine; `plateau` multiplies it by `factor` after `patience` epochs without a
    better validation loss.
    """

    name: Literal["one-cycle", "plateau"] = "one-cycle"
    warmup: Share = 0.2
    factor: BelowOne = 0.5
    patience: int = 5


@dataclass(frozen=True)
class LossSettings:
    """Cross-entropy. `balance` in 0..1 weights class c by (n / (5 n_c)) ** balance."""

    balance: Share = 0.0
    label_smoothing: Share = 0.0


@dataclass(frozen=True)
class AugmentSettings:
    """Changes to training windows; standard deviations in units of the window's own.

    Each change is made to a share `probability` of the windows, independently of the others.
    """

    probability: Share = 0.0
    shift: float = 0.0  # SD of the peak's jitter, samples at 360 Hz
    stretch: float = 0.0  # largest relative change of the time axis
    noise: float = 0.0  # largest SD of white or smoothed noise
    wander: float = 0.0  # largest amplitude of a slow sine, 0.05 to 0.8 Hz
    mains: float = 0.0  # largest amplitude of a 50 or 60 Hz sine
    tilt: float = 0.0  # largest gain change from one end of the window to the other


@dataclass(frozen=True)
class Recipe:
    """One training run, but for model, protocol and seed.

    Attributes
    ----------
    name, description : str
    max_epochs, patience : int
        Longest run, and epochs without a better `monitor` after which it stops.
    monitor : {"val_loss", "val_macro_f1"}
        What chooses the checkpoint.
    batch_size : int
    normal_share : float
        Share of the N beats that each epoch takes, drawn anew; their weight in the loss makes up
        for it. N beats are 83 % of the database and most of them teach nothing new, so that a small
        share buys more epochs of the rare classes in the same time.
    gradient_clip : float
        Largest gradient norm.
    ema_decay : float
        Decay of the running average of weights that is validated and kept, below 1; 0 for none.
    optimizer, schedule, loss, augment
        See their classes.
    model : dict
        Constructor settings for each model, by its name.
    """

    name: str
    description: str
    max_epochs: int = 50
    patience: int = 10
    monitor: Literal["val_loss", "val_macro_f1"] = "val_loss"
    batch_size: int = 128
    normal_share: Share = 1.0
    gradient_clip: float = 1.0
    ema_decay: BelowOne = 0.0
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    model: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.normal_share == 0:
            msg = "recipe value normal_share = 0: without N beats there is nothing to learn; "
            raise RecipeError(msg + "expected more than 0, at most 1")

    def check_batches(self, n_beats: int, n_devices: int = 1) -> None:
        """Refuse batches of which an epoch has none.

        Parameters
        ----------
        n_beats : int
            Beats of one epoch, after `normal_share`.
        n_devices : int
            Devices that take a batch each at every step.

        Raises
        ------
        RecipeError
            If one step takes more beats than the epoch has.
        """
        if self.batch_size * n_devices > n_beats:
            where = f" on each of {n_devices} devices" if n_devices > 1 else ""
            msg = (
                f"recipe value batch_size = {self.batch_size}{where}: an epoch has {n_beats} "
                f"beats, so not one whole batch; expected at most {n_beats // n_devices}"
            )
            raise RecipeError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class DistortSettings:
    """What is done to the finder's training segments: the share of segments for each."""

    invert: Share = 0.5  # polarity
    stretch: Share = 0.5  # time runs faster or slower, by up to 1.4
    mix: Share = 0.4  # a random mixture of the two leads
    standstill: Share = 0.12  # QRS complexes taken out, P waves left or not
    silence: Share = 0.08  # nothing but noise
    gain: Share = 0.3  # swells, ebbs and jumps
    noise: Share = 0.65  # recorded and made-up noise, -8 to 24 dB
    wander: Share = 0.3
    steps: Share = 0.1
    spikes: Share = 0.12  # artefacts of one sample
    burst: Share = 0.06  # seconds of noise that drowns everything
    gap: Share = 0.08


@dataclass(frozen=True)
class FinderRecipe:
    """One training run of the beat finder, but for protocol and seed.

    Attributes
    ----------
    name, description : str
    max_epochs, batches_per_epoch : int
        Length of the run; an epoch is a number of batches, as segments are drawn at random.
    patience : int
        Epochs without a better `monitor` after which it stops, where patients are held out.
    monitor : {"val_error"}
        What chooses the checkpoint where patients are held out: missed and made-up beats of their
        leads, divided by their beats. Without, the last epoch is kept.
    batch_size : int
        Segments.
    segment_s : float
        Length of a segment in seconds.
    threshold : float
        Least confidence of a beat.
    ectopic_share : float
        Share of segments that are drawn around a beat that is not N.
    simulated_share : float
        Share of segments that come from simulated recordings.
    simulated_patients : int
        How many of them there are.
    placing_weight : float
        Weight of the loss of a beat's place beside that of its being there.
    gradient_clip, ema_decay, optimizer, schedule
        As in `Recipe`.
    distort : DistortSettings
    model : dict
        Constructor settings, under ``beat-finder``.
    """

    name: str
    description: str
    max_epochs: int = 16
    batches_per_epoch: int = 250
    patience: int = 16
    monitor: Literal["val_error"] = "val_error"
    batch_size: int = 32
    segment_s: float = 30.0
    threshold: BelowOne = 0.5
    ectopic_share: Share = 0.4
    simulated_share: Share = 0.1
    simulated_patients: int = 24
    placing_weight: float = 0.1
    gradient_clip: float = 1.0
    ema_decay: BelowOne = 0.995
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    distort: DistortSettings = field(default_factory=DistortSettings)
    model: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 10 <= self.segment_s <= SIMULATED_MOST_S:
            msg = f"recipe value segment_s = {self.segment_s}: expected 10 to {SIMULATED_MOST_S:g}"
            raise RecipeError(msg)
        if self.threshold == 0:
            msg = "recipe value threshold = 0: every step would be a beat; expected more than 0"
            raise RecipeError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)
