"""All files of an analysis, or none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ectopy.errors import MissingExtra, OutputError
from ectopy.writers import FILES, write_all
from ectopy.writers.output import check_folder, file_stem, staging, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]

# pandas 3.1 warns while wfdb 4.3 is imported.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.set_index")

TABLES = ("annotations", "csv", "json")

NEXT_STEP = "name a folder that can be written to and has space left"


class Acting(dict[str, Any]):
    """The description of a model that does something when the JSON file is put together."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(name="m")
        self.act = act

    def items(self) -> ItemsView[str, Any]:
        self.act()
        return super().items()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_five_files_in_a_new_folder(make_analysis: Make, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    files = write_all(make_analysis(recording="my rec.1"), out)
    assert files == {
        "annotations": out / "my rec.1.ectopy",
        "csv": out / "my rec.1.csv",
        "json": out / "my rec.1.json",
        "html": out / "my rec.1.html",
        "png": out / "my rec.1.png",
    }
    assert names(out) == sorted(path.name for path in files.values())
    assert all(path.stat().st_size > 0 for path in files.values())


def test_chosen_files_and_with_a_folder_as_text(make_analysis: Make, tmp_path: Path) -> None:
    files = write_all(make_analysis(), str(tmp_path), files=TABLES)
    assert list(files) == ["annotations", "csv", "json"]
    assert names(tmp_path) == ["r1.csv", "r1.ectopy", "r1.json"]


def test_files_can_be_read_by_those_the_folder_allows(make_analysis: Make, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    files = write_all(make_analysis(), tmp_path)
    modes = {path.stat().st_mode for path in files.values()}
    assert modes == {(tmp_path / "plain").stat().st_mode}


def test_earlier_results_are_replaced_and_other_files_stay(
    make_analysis: Make, tmp_path: Path
) -> None:
    (tmp_path / "r1.csv").write_text("earlier")
    (tmp_path / "notes.txt").write_text("mine")
    write_all(make_analysis(), tmp_path, files=TABLES)
    assert (tmp_path / "r1.csv").read_text().startswith("beat,sample")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["../up", "/etc/x", "a/b\\c", "..", ".", "", "c:\\x", "a\0b\n"])
def test_no_recording_name_leaves_the_folder(
    make_analysis: Make, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    files = write_all(make_analysis("NV", recording=name), out, files=TABLES)
    assert names(tmp_path) == ["out"]
    assert {path.parent for path in files.values()} == {out}
    assert len(names(out)) == 3


def test_out_dir_is_a_file(make_analysis: Make, tmp_path: Path) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("a file")
    with pytest.raises(OutputError) as caught:
        write_all(make_analysis(), blocked)
    text = str(blocked)
    assert str(caught.value) == (
        f"cannot write to {text!r}: {text!r} is a file, not a folder; {NEXT_STEP}"
    )
    assert blocked.read_text() == "a file"


def test_out_dir_below_a_file(make_analysis: Make, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    out = tmp_path / "results" / "a" / "b"
    with pytest.raises(OutputError) as caught:
        write_all(make_analysis(), out)
    assert str(caught.value) == (
        f"cannot write to {str(out)!r}: {str(tmp_path / 'results')!r} is a file, not a folder; "
        f"{NEXT_STEP}"
    )


def test_a_folder_lies_where_a_file_should(make_analysis: Make, tmp_path: Path) -> None:
    (tmp_path / "r1.json").mkdir()
    with pytest.raises(OutputError) as caught:
        write_all(make_analysis(), tmp_path, files=TABLES)
    assert str(caught.value) == (
        f"cannot write to {str(tmp_path)!r}: 'r1.json' in it is a folder; {NEXT_STEP}"
    )
    assert names(tmp_path) == ["r1.json"]


def test_every_kind_of_file_in_the_order_of_the_list(make_analysis: Make, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs it")
    files = write_all(make_analysis(), tmp_path, files=reversed(list(FILES)))
    assert list(files) == list(FILES)
    assert names(tmp_path) == sorted(
        f"r1.{end}" for end in ("csv", "ectopy", "html", "json", "parquet", "png", "svg")
    )


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["csv", "pdf"], "no kind of file 'pdf'; name some of annotations, csv, json, html, png"),
        ([], "no kind of file is named; name some of annotations"),
        ("csv", "files = 'csv'; expected a list of names out of annotations"),
    ],
)
def test_files_that_there_are_not(
    make_analysis: Make, tmp_path: Path, files: list[str] | str, words: str
) -> None:
    with pytest.raises(OutputError) as caught:
        write_all(make_analysis(), tmp_path / "out", files=files)
    assert str(caught.value).startswith(words)
    assert names(tmp_path) == []


def test_parquet_without_pyarrow(
    make_analysis: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ectopy.writers.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="a Parquet file needs pyarrow"):
        write_all(make_analysis(), tmp_path / "out", files=["csv", "parquet"])
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that takes no files")
def test_out_dir_that_cannot_be_made(make_analysis: Make) -> None:
    with pytest.raises(OutputError) as caught:
        write_all(make_analysis(), "/proc/ectopy")
    assert str(caught.value) == (
        f"cannot write to '/proc/ectopy': no such file or directory; {NEXT_STEP}"
    )


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user"
)
def test_out_dir_that_is_read_only(make_analysis: Make, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        for out in (tmp_path, tmp_path / "new"):
            with pytest.raises(OutputError) as caught:
                write_all(make_analysis(), out)
            assert str(caught.value) == (
                f"cannot write to {str(out)!r}: permission denied; {NEXT_STEP}"
            )
    finally:
        tmp_path.chmod(0o700)
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [TypeError, KeyboardInterrupt])
def test_a_failure_midway_leaves_everything_as_it_was(
    make_analysis: Make, tmp_path: Path, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error

    (tmp_path / "r1.csv").write_text("earlier")
    # The annotations and the CSV file are complete when the JSON file fails.
    analysis = make_analysis(model=Acting(fail))
    with pytest.raises(error):
        write_all(analysis, tmp_path)
    assert names(tmp_path) == ["r1.csv"]
    assert (tmp_path / "r1.csv").read_text() == "earlier"

    with pytest.raises(error):
        write_all(analysis, tmp_path / "new" / "folder")
    assert names(tmp_path) == ["r1.csv"]


def test_the_folder_vanishes_midway(make_analysis: Make, tmp_path: Path) -> None:
    out = tmp_path / "stick"
    analysis = make_analysis(model=Acting(lambda: shutil.rmtree(out)))
    with pytest.raises(OutputError) as caught:
        write_all(analysis, out)
    assert str(caught.value) == (
        f"cannot write to {str(out)!r}: no such file or directory; {NEXT_STEP}"
    )
    assert names(tmp_path) == []


@pytest.mark.parametrize("picture", [False, True])
def test_the_space_runs_out(make_analysis: Make, tmp_path: Path, picture: bool) -> None:
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")
    analysis = make_analysis("NV" * 50)
    # The tables fit below the higher limit, the picture does not.
    limit = 50_000 if picture else 2_000
    files = (*TABLES, "png") if picture else TABLES
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OutputError) as caught:
            write_all(analysis, tmp_path / "out", files=files)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        f"cannot write to {str(tmp_path / 'out')!r}: file too large; {NEXT_STEP}"
    )
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("recording", "stem"),
    [
        ("100", "100"),
        ("my rec.1", "my rec.1"),
        ("a/b\\c:d", "a_b_c_d"),
        ("..", "__"),
        (".x. ", "_x__"),
        ("", "recording"),
        ("心" * 100, "心" * 66),
        (os.fsdecode(b"r\xe9c"), "r%E9c"),
        (os.fsdecode(b"r\xe8c"), "r%E8c"),
        ("rec", "rec"),
        ("\ud800x", "%D800x"),
    ],
)
def test_file_stem(recording: str, stem: str) -> None:
    assert file_stem(recording) == stem


def test_results_under_a_name_that_is_no_utf_8(make_analysis: Make, tmp_path: Path) -> None:
    for name in (b"r\xe9c", b"r\xe8c"):
        write_all(make_analysis(recording=os.fsdecode(name)), tmp_path)
    assert len(names(tmp_path)) == 10


def test_checking_a_folder_makes_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = tmp_path.stat().st_mtime_ns
    for folder in (tmp_path, tmp_path / "a" / "b", str(tmp_path / "c")):
        check_folder(folder)
    assert names(tmp_path) == []
    assert tmp_path.stat().st_mtime_ns == before


def test_checking_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "a" / "b"):
        with pytest.raises(OutputError) as caught:
            check_folder(folder)
        assert str(caught.value) == (
            f"cannot write to {str(folder)!r}: {str(file)!r} is a file, not a folder; {NEXT_STEP}"
        )
    long = tmp_path / ("x" * 300)
    with pytest.raises(OutputError, match="file name too long"):
        check_folder(long / "a")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user"
)
def test_checking_a_folder_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError) as caught:
            check_folder(tmp_path / "new")
    finally:
        tmp_path.chmod(0o700)
    assert str(caught.value) == (
        f"cannot write to {str(tmp_path / 'new')!r}: {str(tmp_path)!r} is not writable; {NEXT_STEP}"
    )


def test_a_new_folder_shared_by_many(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"

    def work(number: int) -> None:
        for turn in range(50):
            check_folder(out)
            if turn % 2:
                write_text(out / f"{number}-{turn}.txt", "x")
            else:
                with pytest.raises(ValueError, match="mine"), staging(out, make=True):
                    raise ValueError("mine")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(names(out)) == 4 * 25


def test_a_new_folder_that_others_fail_in_and_remove(tmp_path: Path) -> None:
    """Each thread removes the folder it may share; none of the others may see more than that."""
    out = tmp_path / "new" / "out"

    def work(_: int) -> None:
        for _turn in range(50):
            check_folder(out)
            with pytest.raises(ValueError, match="mine"), staging(out, make=True):
                raise ValueError("mine")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_a_folder_that_is_removed_while_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()

    def remove_first(path: Path, mode: int) -> bool:
        if path == folder:
            folder.rmdir()
            return False
        return True

    monkeypatch.setattr("ectopy.writers.output.os.access", remove_first)
    check_folder(folder / "out")
    assert not folder.exists()
    folder.mkdir()
    monkeypatch.setattr("ectopy.writers.output.os.access", lambda path, mode: False)
    with pytest.raises(OutputError, match="is not writable"):
        check_folder(folder / "out")


def test_import_is_quick() -> None:
    heavy = ["matplotlib", "pandas", "torch", "wfdb", "jinja2", "ectopy.writers.report_parts"]
    code = f"import sys, ectopy.writers; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
