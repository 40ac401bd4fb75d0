"""What a training run does beside training: show progress, keep its table, know when to stop."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

if TYPE_CHECKING:
    import lightning as L
    from rich.console import Console


class EpochLine(Callback):
    """One line an epoch with the time left, for logs of runs without a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: tuple[float, int] | None = None

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note when this process began to train."""
        if self.started is None:
            self.started = (time.monotonic(), trainer.current_epoch)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print the epoch's numbers."""
        if not trainer.is_global_zero or self.started is None:
            return
        began, first = self.started
        done = trainer.current_epoch + 1
        per_epoch = (time.monotonic() - began) / (done - first)
        left = per_epoch * ((trainer.max_epochs or done) - done)
        shown = ("train_loss", "val_loss", "val_accuracy", "val_macro_f1", "val_error")
        metrics = trainer.callback_metrics
        numbers = "  ".join(f"{k} {float(metrics[k]):.4f}" for k in shown if k in metrics)
        self.console.print(
            f"epoch {done}/{trainer.max_epochs}  {numbers}  "
            f"{per_epoch:.0f} s/epoch, {left / 60:.0f} min left",
            highlight=False,
        )


class EpochTable(Callback):
    """One row an epoch in a CSV file, whole again after a run is resumed.

    The rows are part of every checkpoint, so that a resumed run neither loses the epochs before it
    nor repeats those that it trains anew.

    Parameters
    ----------
    path : Path
        The file to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch's row and write the file anew."""
        if not trainer.is_global_zero:
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        place = {"epoch": trainer.current_epoch + 1, "step": trainer.global_step}
        self.rows.append(place | dict(sorted(metrics.items())))
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".part")
        with draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        draft.replace(self.path)

    def state_dict(self) -> dict[str, Any]:
        """Keep the rows in the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows up again."""
        self.rows = list(state_dict["rows"])


class Patience(EarlyStopping):
    """Stop without a better value for a while, also where a run that did so is resumed."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stay stopped: the trainer itself forgets it."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True


class Checkpoint(ModelCheckpoint):
    """Keep checkpoints in a folder that may be moved or copied between two parts of a run.

    The state holds absolute paths. Lightning drops the best score when the folder is another one,
    and would write the next epoch over a better one.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state up, with every path in the folder where the files are now."""
        moved = dict(state_dict)
        for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
            moved[name] = self._here(moved[name])
        scores = moved["best_k_models"].items()
        moved["best_k_models"] = {self._here(path): score for path, score in scores}
        moved["dirpath"] = self.dirpath
        super().load_state_dict(moved)

    def _here(self, path: str) -> str:
        return str(Path(self.dirpath or "") / Path(path).name) if path else path


class EpochLimit(Callback):
    """Stop after some epochs of this process, without a change to the schedule.

    Parameters
    ----------
    n_epochs : int
    """

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs
        self.done = 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count, and stop in time."""
        self.done += 1
        if self.done >= self.n_epochs:
            trainer.should_stop = True


class Compile(Callback):
    """Compile the network once weight averaging has taken its copy of the plain one.

    It is compiled in place, so that the names in the state dict stay the published ones.
    """

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Compile."""
        pl_module.get_submodule("network").compile()
