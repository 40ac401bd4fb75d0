"""Bundles from the Hugging Face Hub, from its local cache: nothing is downloaded here."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("huggingface_hub")

from ectopy.errors import BundleError
from ectopy.models.bundle import find_bundle

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path


def test_a_cached_bundle_opens(cache):
    shipped = find_bundle("cnn-mlp/intra")
    folder = cache / "models--someone--beats"
    shutil.copytree(shipped.folder, folder / "snapshots" / REVISION)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(REVISION)
    for name in ("hf:someone/beats", f"hf:someone/beats@{REVISION}"):
        bundle = find_bundle(name)
        assert bundle.weights_sha256 == shipped.weights_sha256
        assert bundle.full_name == "cnn-mlp/intra"


@pytest.mark.parametrize("name", ["hf:someone/nothing", "hf:not a name", "hf:"])
def test_what_cannot_be_fetched_is_one_clear_line(cache, name):
    with pytest.raises(BundleError) as caught:
        find_bundle(name)
    text = str(caught.value)
    assert text.startswith(f"cannot fetch {name!r} (")
    assert text.endswith("); check the name and the network, or give a local bundle's folder")
    assert "\n" not in text
