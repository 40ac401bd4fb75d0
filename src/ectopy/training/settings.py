"""What one training run is told, and what every kind of run has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import lightning as L

    from ectopy.training.recipe import FinderRecipe, Recipe
    from ectopy.training.rhythm_recipe import RhythmRecipe


@dataclass(frozen=True)
class RunSettings:
    """One run of a recipe.

    Attributes
    ----------
    model, protocol, recipe : str
        Names; `recipe` may be a TOML file.
    seed : int
        Decides initial weights, order of beats, dropout and augmentation.
    out : Path
        Folder for logs, checkpoints and the bundle.
    resume : bool
        Continue the run in `out` from its last finished epoch.
    accelerator, devices, strategy, precision : str
        Handed to Lightning's Trainer.
    compile : bool
        Use ``torch.compile`` where a C++ compiler or a GPU makes it possible.
    limit_epochs : int, optional
        Stop after this many epochs, for trying things out; the schedule is not shortened.
    folder : Path, optional
        Folder of the database.
    hold_out : tuple of str
        Records that the beat finder or, under `inter`, a rhythm model shall not learn from but be
        validated on. The models that see single beats have their own validation part.
    """

    model: str
    protocol: str
    recipe: str
    seed: int
    out: Path
    resume: bool = False
    accelerator: str = "auto"
    devices: str = "auto"
    strategy: str = "auto"
    precision: str = "32-true"
    compile: bool = True
    limit_epochs: int | None = None
    folder: Path | None = None
    hold_out: tuple[str, ...] = ()


class Job(Protocol):
    """One kind of run: its recipe, data, task, and the bundle that comes out.

    Attributes
    ----------
    task : lightning.LightningModule
    data : lightning.LightningDataModule
    validated : bool
        Whether every epoch is validated, so that one can be chosen.
    compiles : bool
        Whether ``torch.compile`` is worth its time.
    """

    task: L.LightningModule
    data: L.LightningDataModule
    validated: bool
    compiles: bool

    @property
    def recipe(self) -> Recipe | FinderRecipe | RhythmRecipe:
        """What decides the run beside model, protocol and seed."""

    def prepare(self) -> None:
        """Build network, data and task; what is random has been seeded."""

    def check(self, trainer: L.Trainer) -> None:
        """Refuse what cannot be trained."""

    def lines(self) -> list[str]:
        """Say what is trained on."""

    def identity(self) -> dict[str, Any]:
        """Name what else a resumed run must have in common with the interrupted one."""

    def write_bundle(self, checkpoint: dict[str, Any], score: float | None) -> Path:
        """Save the chosen checkpoint's network with everything needed to use it."""
