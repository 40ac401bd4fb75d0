"""One thread, so that tests which run side by side do not fight for the cores; made-up noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

torch.set_num_threads(1)

FS = 360


@pytest.fixture(scope="session")
def made_up_data(made_up_mitdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for ECTOPY_DATA: made-up records in mitdb, and made-up noise in nstdb.

    The noise lies within +-2.5 mV in the part for training, and is 10 mV after it.
    """
    import wfdb

    from ectopy.data.nstdb import TRAIN_PART

    folder = tmp_path_factory.mktemp("made-up-data")
    (folder / "mitdb").symlink_to(made_up_mitdb)
    (folder / "nstdb").mkdir()
    for number, (kind, (first, last)) in enumerate(TRAIN_PART.items()):
        assert first == 0
        rng = np.random.default_rng(number)
        counts = rng.integers(-500, 500, (round((last + 60) * FS), 2))
        counts[round(last * FS) :] = 2000
        wfdb.wrsamp(
            kind,
            fs=FS,
            units=["mV", "mV"],
            sig_name=["noise1", "noise2"],
            d_signal=counts,
            fmt=["212", "212"],
            adc_gain=[200.0, 200.0],
            baseline=[0, 0],
            write_dir=str(folder / "nstdb"),
        )
    return folder
