"""The report as a page: what a browser, a reader and a printer need of it."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from report_page import long_analysis, section, strips_of, text_of, tree_of

from ectopy.beats import CLASSES, ReferenceBeats
from ectopy.errors import OutputError
from ectopy.writers import write_report
from ectopy.writers.report import _css_text, report_page
from ectopy.writers.report_svg import UNUSABLE_MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from ectopy.analysis import Analysis

    Make = Callable[..., Analysis]

HOSTILE = "<script>alert(1)</script>\"'&amp;</style></title>{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def variants(make_analysis: Make) -> dict[str, Analysis]:
    """Analyses that differ in what they have."""
    reference = ReferenceBeats(
        np.array([300, 620, 1500]), np.array([0, 2, 4], dtype=np.int8), np.array(["N", "V", "/"])
    )
    return {
        "all classes": make_analysis(),
        "one class": make_analysis("NNNN"),
        "no beat": make_analysis(""),
        "one beat": make_analysis("V"),
        "runs": make_analysis("NVVVNSSSSN" * 4, duration_s=40),
        "pauses": make_analysis("NNVN", duration_s=60, start=datetime(2024, 2, 28, 23, 59, 40)),
        "annotated": make_analysis("NVN", peaks=[310, 900, 1500], reference=reference),
        "hours": make_analysis("NNSV" * 90, duration_s=3 * 3600, fs=60.0),
        "no signal": make_analysis("NVN", signal_mv=np.full(2500, np.nan, dtype=np.float32)),
        "warnings": make_analysis(warnings=("one", "two"), settings={"source": "r1", "part": 2}),
    }


@pytest.fixture(scope="module")
def pages(variants: dict[str, Analysis]) -> dict[str, Element]:
    return {name: tree_of(report_page(one)) for name, one in variants.items()}


def test_one_file_in_the_folder(make_analysis: Make, tmp_path: Path) -> None:
    path = write_report(make_analysis(recording="my rec/1"), tmp_path)
    assert path == tmp_path / "my rec_1.html"
    assert [file.name for file in tmp_path.iterdir()] == ["my rec_1.html"]
    assert path.read_bytes().startswith(b'<!DOCTYPE html>\n<html lang="en">')


def test_a_folder_that_is_not_there(make_analysis: Make, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write to"):
        write_report(make_analysis(), tmp_path / "none")


def test_the_same_bytes_each_time(variants: dict[str, Analysis], tmp_path: Path) -> None:
    first = write_report(variants["runs"], tmp_path).read_bytes()
    assert write_report(variants["runs"], tmp_path).read_bytes() == first


def test_nothing_is_fetched_or_run(pages: dict[str, Element]) -> None:
    for name, root in pages.items():
        names = {element.tag for element in root.iter()}
        assert names.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
        for element in root.iter():
            for key, value in element.attrib.items():
                assert not key.startswith("on"), (name, key)
                if key in ("src", "href", "srcset", "action", "data"):
                    assert value.startswith(("#", "data:image/png;base64,")), (name, value)
        style = "".join(element.text or "" for element in root.iter("style"))
        assert "url(" not in style
        assert "@import" not in style
        assert "@font-face" not in style
        assert not any("style" in element.attrib for element in root.iter())


def test_the_policy_forbids_what_is_not_there(pages: dict[str, Element]) -> None:
    policy = pages["all classes"].find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_headings_in_order_and_a_title(pages: dict[str, Element]) -> None:
    for name, root in pages.items():
        levels = [int(e.tag[1]) for e in root.iter() if re.fullmatch("h[1-6]", e.tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert root.get("lang") == "en"
        assert root.findtext("./head/title"), name
        assert root.find("./head/meta[@name='viewport']") is not None


def test_links_lead_somewhere(pages: dict[str, Element]) -> None:
    for name, root in pages.items():
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), name
        links = [element.get("href", "") for element in root.iter("a")]
        assert links
        assert {link.removeprefix("#") for link in links} <= set(ids), name
        sections = {element.get("id") for element in root.iter("section")}
        listed = root.find(".//nav")
        assert listed is not None
        assert {a.get("href", "")[1:] for a in listed.iter("a")} == sections


def test_pictures_tables_and_boxes_have_names(pages: dict[str, Element]) -> None:
    for name, root in pages.items():
        for svg in (e for e in root.iter("svg") if e.get("role") or e.get("class")):
            assert svg.get("role") == "img"
            assert svg[0].tag == "title", name
            assert svg[0].text
        for table in root.iter("table"):
            assert all(th.get("scope") in ("col", "row") for th in table.iter("th"))
            n = len(table.findall("./thead/tr/th"))
            assert all(len(row) == n for row in table.findall("./tbody/tr")), name
        for box in root.iter("div"):
            if box.get("role") == "region":
                assert box.get("aria-label")
        for part in root.iter("section"):
            assert len(part) > 1, f"{name}: {part.get('id')} is empty"


def test_hostile_names_are_text(make_analysis: Make) -> None:
    settings = {"source": HOSTILE, "leads": [HOSTILE], "notes": {HOSTILE: HOSTILE}}
    model = {"name": HOSTILE, "limits": [HOSTILE], "certainty": HOSTILE, "measured": None}
    page = report_page(
        make_analysis(
            recording=HOSTILE, lead=HOSTILE, warnings=(HOSTILE,), settings=settings, model=model
        )
    )
    root = tree_of(page)
    assert root.findtext(".//h1") == HOSTILE
    assert [e for e in root.iter() if e.tag in ("script", "img")] == []
    assert len(list(root.iter("style"))) == 1
    assert page.count("</style>") == 1
    assert page.count("</title>") == len(list(root.iter("title")))
    facts = root.find(".//dl[@class='facts']")
    assert facts is not None
    assert HOSTILE in text_of(facts)
    assert text_of(section(root, "settings")).count(HOSTILE) >= 5


@pytest.mark.parametrize("name", ["a\x00b\x1b", "\ud800x", "r\udce9c", "\uffff"])
def test_letters_that_no_page_can_hold(make_analysis: Make, tmp_path: Path, name: str) -> None:
    path = write_report(make_analysis(recording=name, lead=name, warnings=(name,)), tmp_path)
    root = tree_of(path.read_text(encoding="utf-8"))
    assert "\ufffd" in (root.findtext(".//h1") or "")


def test_a_name_cannot_leave_the_style_sheet() -> None:
    assert _css_text('a"; } body { x') == "a\\22 \\3b \\20 \\7d \\20 body\\20 \\7b \\20 x"
    assert _css_text("</style>") == "\\3c \\2f style\\3e "
    assert _css_text("Gerät\n") == "Ger\\e4 t\\a "


def test_numbers_are_those_of_the_summary(make_analysis: Make) -> None:
    analysis = make_analysis("NVVVNSSSSN" * 4, duration_s=40)
    root = tree_of(report_page(analysis))
    table = section(root, "classes").find(".//table")
    assert table is not None
    rows = {text_of(row[0]): text_of(row[3]) for row in table.findall("./tbody/tr")}
    assert rows == {name: str(n) for name, n in analysis.summary.counts.items()}
    tiles = root.find(".//dl[@class='tiles']")
    assert tiles is not None
    shown = {text_of(tile[0]): text_of(tile[1]) for tile in tiles}
    assert shown["V runs"].startswith("4 longest 3 beats")
    assert shown["S runs"].startswith("4 longest 4 beats")
    assert shown["Ventricular, V"] == "30.00 % 12 beats"


def test_the_note_stands_there_once(pages: dict[str, Element]) -> None:
    for root in pages.values():
        assert text_of(root).count("not a medical device") == 1


def test_annotations_are_compared(pages: dict[str, Element]) -> None:
    part = section(pages["annotated"], "annotations")
    rows = {text_of(row[0]): [text_of(cell) for cell in row[1:]] for row in part.iter("tr")}
    # Beats N 310, V 900, N 1500 against N 300, V 620, Q 1500 at 250 Hz.
    assert rows["N"] == ["1", "0", "0", "0", "0", "0", "1"]
    assert rows["V"] == ["0", "0", "0", "0", "0", "1", "1"]
    assert rows["Q"] == ["1", "0", "0", "0", "0", "0", "1"]
    assert rows["none"] == ["0", "0", "1", "0", "0", "0", "1"]
    strips = strips_of(pages["annotated"])
    letters = [text.text for strip in strips for text in strip.iter("text")]
    assert "(Q)" in letters
    assert "(-)" in letters


def test_classes_without_beats_are_named(pages: dict[str, Element]) -> None:
    text = text_of(section(pages["one class"], "beats"))
    for name in CLASSES[1:]:
        assert f"{name} (" in text.split("No beat of class")[1]
    assert "No run of three beats or more of class V" in text_of(pages["one class"])


def test_a_day_with_thousands_of_runs() -> None:
    analysis = long_analysis(24, 120_000)
    page = report_page(analysis)
    assert len(page.encode()) <= 5_000_000
    signal = analysis.signal_mv
    # Nothing but what is shown is read, never more than a row of strips at a time.
    assert signal.longest <= 7.5 * analysis.fs  # type: ignore[union-attr]
    assert signal.total < 0.03 * analysis.n_samples  # type: ignore[union-attr]
    root = tree_of(page)
    runs = section(root, "runs-v")
    n = len(analysis.summary.v_patterns.runs)
    assert n > 1000
    listed = [row for table in runs.iter("table") for row in table.findall("./tbody/tr")]
    assert len(listed) == min(n, 3000)
    figures = [f for f in runs.iter("figure") if f.get("id")]
    assert len(figures) == 30
    assert len(strips_of(runs)) <= 40
    assert f"{n - 30:,} further runs are in the table and not shown here" in text_of(runs)
    links = [a.get("href") for row in listed for a in row.iter("a")]
    assert links == [f"#{figure.get('id')}" for figure in figures]
    # Charts have no element for each beat.
    assert sum(1 for _ in section(root, "time").iter()) < 300


def test_beats_that_are_not_usable_have_a_row_and_a_mark(make_analysis: Make) -> None:
    analysis = make_analysis("NNVN" * 3, duration_s=12)
    classes = analysis.beats.classes.copy()
    classes[4:7] = -1
    analysis.beats.__dict__["classes"] = classes
    root = tree_of(report_page(analysis))
    rows = [text_of(row) for row in section(root, "classes").findall(".//tbody/tr")]
    assert rows[-1].startswith(f"{UNUSABLE_MARK} mark of class {UNUSABLE_MARK} signal too poor")
    assert f" {3} " in rows[-1]
    marks = [path for path in section(root, "time").iter("path") if path.get("class") == "m5"]
    assert [path.get("d", "").count("M") for path in marks] == [3]
    assert "and 3 that could not be classed" in text_of(root)


def test_a_real_record(mitdb_dir: Path, tmp_path: Path) -> None:
    from ectopy import analyze

    analysis = analyze(mitdb_dir / "208")
    path = write_report(analysis, tmp_path)
    assert path.stat().st_size < 1_500_000
    root = tree_of(path.read_text(encoding="utf-8"))
    assert len(strips_of(section(root, "beats"))) > 60
    assert "patients of the test beats were not in training" in text_of(section(root, "accuracy"))
    assert text_of(section(root, "settings")).endswith("--model rhythm-kan --beats detected")


def test_weeks_are_counted_day_by_day() -> None:
    analysis = long_analysis(100, 360_000, fs=60.0)
    part = section(tree_of(report_page(analysis)), "hours")
    days, hours = part.iter("table")
    columns = [[text_of(cell) for cell in row] for row in days.findall("./tbody/tr")]
    assert [row[0] for row in columns] == [f"day {day}" for day in range(1, 6)]
    assert sum(int(row[1].replace(",", "")) for row in columns) == 360_000
    assert len(hours.findall("./tbody/tr")) == 100
    low = min(float(text_of(row[2])) for row in hours.findall("./tbody/tr"))
    assert min(float(row[2]) for row in columns) == low


def test_what_was_asked_for_and_no_folder(make_analysis: Make) -> None:
    settings = {
        "source": "my rec.csv", "model": "cnn-mlp", "beats": "detected", "fs": 250.0,
        "columns": ["I", 2], "leads": ["I", "II"], "notes": {"device": "H12"},
    }  # fmt: skip
    text = text_of(section(tree_of(report_page(make_analysis(settings=settings))), "settings"))
    assert (
        "ectopy analyze 'my rec.csv' --out FOLDER --model cnn-mlp --beats detected --fs 250.0 "
        "--column I --column 2"
    ) in text
    assert "File says: device H12" in text
    for library in ("numpy", "onnxruntime", "Python"):
        assert library in text


def test_print_has_pages_with_a_name_and_whole_strips(pages: dict[str, Element]) -> None:
    style = "".join(element.text or "" for element in pages["all classes"].iter("style"))
    assert "@page { size: A4;" in style
    assert '@top-left { content: "r1\\2c \\20 lead\\20 MLII"' in style
    printed = style.split("@media print")[1]
    assert re.search(r"svg[^{]*\{ break-inside: avoid; \}", printed)
    assert "thead { display: table-header-group; }" in printed
