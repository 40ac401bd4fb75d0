"""Fixtures that many tests share."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ectopy.evaluation.runs import RunResult
    from ectopy.models.beat_model import BeatModel
    from ectopy.models.contract import InputContract

# As `ectopy.models.runtime` does, for tests that import ONNX Runtime themselves.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder that holds the real databases; tests that need it skip where it is not given."""
    folder = os.environ.get("ECTOPY_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set ECTOPY_DATA to the folder that holds mitdb/ to run tests on real data")
    return Path(folder)


@pytest.fixture(scope="session")
def mitdb_dir(data_dir: Path) -> Path:
    """The 48 records of the MIT-BIH Arrhythmia Database."""
    folder = data_dir / "mitdb"
    if not (folder / "100.dat").is_file():
        pytest.skip(f"no MIT-BIH Arrhythmia Database in {folder}")
    return folder


@pytest.fixture(scope="session")
def made_up_mitdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 48 records, made up: 15 beats each, of every class, the leads in the real order."""
    import wfdb

    from ectopy.data.mitdb import RECORDS

    # Width (samples) and height (mV) of the main wave of each class.
    shapes = {"N": (4, 1.0), "A": (5, 0.7), "V": (14, 1.5), "F": (9, 1.2), "/": (2, 2.0)}
    pattern = "NNVNANNFN/NNVNA"
    folder = tmp_path_factory.mktemp("made-up-mitdb")
    time = np.arange(14 * 288 + 200)
    peaks = 100 + 288 * np.arange(15)  # the first and the last window do not fit
    for number, record in enumerate(RECORDS):
        rng = np.random.default_rng(number)
        symbols = list(pattern[number % 15 :] + pattern[: number % 15])
        waves = [
            shapes[symbol][1] * np.exp(-(((time - peak) / shapes[symbol][0]) ** 2) / 2)
            for peak, symbol in zip(peaks, symbols, strict=True)
        ]
        main = np.sum(waves, axis=0) + 0.01 * rng.standard_normal(len(time))
        names = {"102": ("V5", "V2"), "104": ("V5", "V2"), "114": ("V5", "MLII")}
        leads = names.get(record, ("MLII", "V1"))
        columns = [main if lead == "MLII" else -0.5 * main for lead in leads]
        wfdb.wrsamp(
            record,
            fs=360,
            units=["mV", "mV"],
            sig_name=list(leads),
            d_signal=np.round(np.stack(columns, axis=1) * 200).astype(np.int64),
            fmt=["212", "212"],
            adc_gain=[200, 200],
            baseline=[0, 0],
            write_dir=str(folder),
        )
        wfdb.wrann(record, "atr", sample=peaks, symbol=symbols, write_dir=str(folder))
    return folder


@pytest.fixture(scope="session")
def input_contract() -> Callable[[str], InputContract]:
    """What a model that classes beats expects of its input, by its name."""

    def find(name: str) -> InputContract:
        from ectopy.models.contract import InputContract, rhythm_contract
        from ectopy.training.recipe_files import reads_rhythm

        return rhythm_contract() if reads_rhythm(name) else InputContract()

    return find


@pytest.fixture(scope="session")
def untrained_model(input_contract: Callable[[str], InputContract]) -> Callable[[str], BeatModel]:
    """A model in eval mode with random weights, the same ones each time."""

    def make(name: str) -> BeatModel:
        import torch

        from ectopy.models.registry import create_model
        from ectopy.models.saving import example_input

        torch.manual_seed(11)
        model = create_model(name)
        with torch.no_grad():
            for seed in range(20):  # fills the running averages of batch normalisation
                model(*example_input(input_contract(name), 32, seed=seed))
            for parameter in model.parameters():
                if len(parameter) == 5:  # the last layer: makes the logits as large as trained ones
                    parameter *= 20
        return model.eval()

    return make


@pytest.fixture(scope="session")
def untrained_bundle(
    tmp_path_factory: pytest.TempPathFactory,
    untrained_model: Callable[[str], BeatModel],
    input_contract: Callable[[str], InputContract],
) -> Callable[[str], Path]:
    """Folder of a bundle of `untrained_model`, as if it had been trained on DS1."""
    folder = tmp_path_factory.mktemp("untrained")

    @functools.cache
    def make(name: str) -> Path:
        from ectopy.data.protocols import DS1
        from ectopy.models.saving import save_bundle

        training = {
            "database": "mitdb 1.0.0",
            "protocol": "inter",
            "part": "train",
            "records": list(DS1),
            "beats": {"N": 3, "S": 1, "V": 1, "F": 0, "Q": 0},
            "seed": 0,
            "recipe": {"name": "none"},
            "epoch": 0,
            "selected_by": "val_loss",
            "selected_value": 0.0,
        }
        return save_bundle(
            untrained_model(name),
            folder / name,
            protocol="inter",
            settings={},
            contract=input_contract(name),
            training=training,
        )

    return make


@pytest.fixture(scope="session")
def calibrated_bundle(
    tmp_path_factory: pytest.TempPathFactory, untrained_bundle: Callable[[str], Path]
) -> Path:
    """The untrained cnn-mlp with temperature 2.5, its weights the same."""
    folder = tmp_path_factory.mktemp("calibrated") / "bundle"
    shutil.copytree(untrained_bundle("cnn-mlp"), folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["calibration"] = {
        "method": "temperature", "temperature": 2.5, "fitted_on": "validation", "n": 90,
    }  # fmt: skip
    path.write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def made_up_run() -> Callable[..., RunResult]:
    """A run whose every number is made up: the same beats each time, `right` the share it knows."""

    def make(
        model: str = "cnn-mlp", seed: int = 0, *, right: float = 0.9, **changes: object
    ) -> RunResult:
        from ectopy.evaluation.runs import RunResult

        n = 600
        beats = np.random.default_rng(5)
        classes = beats.choice(5, n, p=[0.6, 0.12, 0.14, 0.08, 0.06]).astype(np.int8)
        rng = np.random.default_rng([seed, *model.encode()])
        logits = rng.normal(0, 1, (n, 5))
        answers = np.where(rng.random(n) < right, classes, rng.integers(0, 5, n))
        logits[np.arange(n), answers] += 5
        odds = np.exp(logits)
        epochs = tuple(
            {
                "epoch": epoch,
                "train_loss": 1 / epoch + 0.01 * seed,
                "val_loss": 1.1 / epoch,
                "val_macro_f1": 0.9 - 0.5 / epoch,
            }
            for epoch in range(1, 6 + seed)
        )
        facts = {
            "model": model,
            "protocol": "intra",
            "seed": seed,
            "records": np.repeat(["100", "202", "213", "232"], n // 4),
            "peaks": np.tile(np.arange(n // 4) * 300 + 200, 4),
            "classes": classes,
            "probabilities": (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32),
            "parameters": 1000 * len(model),
            "multiply_adds": 20_000 * len(model),
            "weights_sha256": "0" * 64,
            "code_version": "0.1",
            "selected_value": 0.8,
            "temperature": 1.5,
            "epochs": epochs,
        }
        return RunResult(**(facts | changes))

    return make


@pytest.fixture(scope="session")
def sign_bundle() -> Callable[[Path], None]:
    """Make a bundle's configuration name the files that lie beside it, whatever they hold."""

    def sign(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["files"] = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in ("model.safetensors", "model.onnx")
        }
        path.write_text(json.dumps(config))

    return sign
