"""The version, and what it says of a checkout."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ectopy
from ectopy import _version


def code_version_in(root: Path) -> str:
    """What the package would say if it lay in `root`."""
    spec = importlib.util.spec_from_file_location("_version", root / "src/ectopy/_version.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.code_version()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src" / "ectopy").mkdir(parents=True)
    shutil.copy(_version.__file__, tmp_path / "src" / "ectopy")
    return tmp_path


def git(root: Path, *words: str) -> str:
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(root), *settings, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_version_is_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", _version.__version__)
    assert ectopy.__version__ == _version.__version__
    pattern = re.escape(_version.__version__) + r"(\+g[0-9a-f]{7,}(\.dirty)?)?"
    assert re.fullmatch(pattern, _version.code_version())


def test_outside_a_checkout(root):
    assert code_version_in(root) == _version.__version__


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_in_a_checkout(root):
    git(root, "init", "--quiet")
    assert code_version_in(root) == _version.__version__  # nothing committed yet
    git(root, "add", "src/ectopy/_version.py")
    git(root, "commit", "--quiet", "--no-gpg-sign", "--message", "first")
    commit = git(root, "rev-parse", "--short", "HEAD")
    assert code_version_in(root) == f"{_version.__version__}+g{commit}"
    git(root, "tag", "v9")
    assert code_version_in(root) == f"{_version.__version__}+g{commit}"
    with (root / "src/ectopy/_version.py").open("a") as file:
        file.write("\n")
    assert code_version_in(root) == f"{_version.__version__}+g{commit}.dirty"
    git(root, "commit", "--quiet", "--no-gpg-sign", "--all", "--message", "second")
    card = root / "src/ectopy/weights/model/inter/README.md"
    kept = card.parent / "results/inter.json"
    weights = card.parent / "config.json"
    kept.parent.mkdir(parents=True)
    for file in (card, kept, weights):
        file.write_text("first")
    git(root, "add", *map(str, (card, kept, weights)))
    git(root, "commit", "--quiet", "--no-gpg-sign", "--message", "third")
    commit = git(root, "rev-parse", "--short", "HEAD")
    card.write_text("measured")  # what was measured with the sources is no change of theirs
    kept.write_text("measured")
    assert code_version_in(root) == f"{_version.__version__}+g{commit}"
    weights.write_text("other")
    assert code_version_in(root) == f"{_version.__version__}+g{commit}.dirty"
