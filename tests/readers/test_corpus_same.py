"""One recording in every format: the same signal, and nothing of the person."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from corpus import FORMATS, FS, N_SAMPLES, SECRETS, SINGLE, START, judge, millivolts

from ectopy.readers import open_recording

QUANTUM_MV = 1 / 400


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The recording in every format, each in a folder of its own."""
    made = {}
    for kind, form in FORMATS.items():
        folder = tmp_path_factory.mktemp(kind)
        made[kind] = form.write(folder, "rec")
    return made


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_signal_from_every_format(files, kind):
    form = FORMATS[kind]
    source = open_recording(files[kind], **form.options)
    expected = millivolts()[:, : len(form.leads)]
    assert (source.name, source.fs, source.leads) == ("rec", FS, form.leads)
    assert (source.n_samples, source.start) == (N_SAMPLES, form.start)
    np.testing.assert_allclose(source.read(), expected, atol=0.01 * QUANTUM_MV)


def as_bytes(secret: str) -> list[bytes]:
    return [secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be")]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "npy"])
def test_the_person_is_in_the_file_and_in_nothing_that_is_read_of_it(files, kind):
    folder = files[kind].parent
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    if kind not in ("npz", "parquet"):  # which are packed
        assert any(one in content for secret in SECRETS for one in as_bytes(secret))
    source = open_recording(files[kind], **FORMATS[kind].options)
    recording = source.recording()
    kept = repr(source) + repr(source.notes) + repr(vars(source)) + repr(vars(recording))
    kept = kept.replace(str(folder), "")
    assert not [secret for secret in SECRETS if secret.lower() in kept.lower()]


SUFFIXES = (".hea", ".dat", ".edf", ".ecg", ".dcm", ".csv", ".npy", ".npz", ".parquet", ".xml", "")


@pytest.mark.parametrize("kind", SINGLE)
def test_told_by_what_is_in_it_and_not_by_its_name(files, tmp_path, kind):
    form = FORMATS[kind]
    expected = open_recording(files[kind], **form.options).read()
    own = SINGLE.index(kind)
    for suffix in (SUFFIXES[own % 11], SUFFIXES[(own + 4) % 11], ".hea", ".dat", ""):
        path = tmp_path / f"x{suffix}"
        shutil.copy(files[kind], path)
        verdict = judge(path, **form.options)
        assert verdict.message == "", suffix
        np.testing.assert_array_equal(verdict.signal_mv, expected)


NAMES = (
    "a b", "it's", 'a "quote"', "new\nline", "tab\there", "💓 émoji", "日本語", "-dash", "%41",
    "[bold]", "~tilde", "$HOME", "back\\slash", "a;b|c&d", "x" * 200, ".hidden", "rec.1",
    "caf\udce9",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", SINGLE)
def test_any_name_of_a_file(files, tmp_path, kind, name):
    path = tmp_path / name / f"{name}{files[kind].suffix}"
    path.parent.mkdir()
    shutil.copy(files[kind], path)
    verdict = judge(path, **FORMATS[kind].options)
    assert verdict.message == ""
    assert verdict.source.name == name
    # A damaged file of that name is named in one line.
    path.write_bytes(files[kind].read_bytes()[:300] + bytes(7))
    assert judge(path, **FORMATS[kind].options).message


@pytest.mark.parametrize("name", [name for name in NAMES if name.isprintable()])
def test_any_name_of_a_wfdb_record(tmp_path, name):
    if "\\" in name:
        pytest.skip("a signal file of such a name would lie elsewhere on another system")
    path = FORMATS["wfdb"].write(tmp_path, name)
    for one in (path, path.with_suffix(""), path.with_suffix(".dat")):
        assert judge(one if name != "rec.1" else path).message == ""
    assert judge(path).source.start == START


@pytest.mark.parametrize("kind", FORMATS)
def test_by_links_and_by_paths_with_dots(files, tmp_path, kind, monkeypatch):
    form = FORMATS[kind]
    folder = tmp_path / "deep"
    folder.mkdir()
    link = folder / "linked"
    link.symlink_to(files[kind].parent, target_is_directory=True)
    paths = [link / files[kind].name, folder / ".." / "deep" / "linked" / files[kind].name]
    if kind in SINGLE:
        (folder / "one").symlink_to(files[kind])
        paths.append(folder / "one")
    for path in paths:
        assert judge(path, **form.options).message == ""
    monkeypatch.chdir(files[kind].parent)
    assert judge(files[kind].name, **form.options).message == ""
