"""A recording as one HTML page that opens without a network and prints true to scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from ectopy.writers.output import file_stem, staging
from ectopy.writers.report_svg import COLOURS, Times, clean
from ectopy.writers.tables import NOTE

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from jinja2 import Environment

    from ectopy.analysis import Analysis
    from ectopy.writers.report_blocks import Table


def write_report(analysis: Analysis, folder: str | os.PathLike[str]) -> Path:
    """Write the report of a recording as HTML: one file, with nothing in it that is fetched.

    It holds the numbers of `ectopy.Summary`, tables of hours, runs and pauses, every interval over
    time, the shape of each class, strips of runs, pauses, typical and uncertain beats, and how the
    model was measured. Strips are ECG paper at 25 mm a second and 10 mm a millivolt, in print as
    well. Only the samples that it shows are read, so that long recordings need no more memory.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        An existing folder.

    Returns
    -------
    Path
        The file `<recording>.html`. The same analysis gives the same bytes.

    Raises
    ------
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from ectopy import analyze
    >>> from ectopy.simulate import simulate
    >>> write_report(analyze(simulate(30, seed=1)[0]), mkdtemp()).suffix
    '.html'
    """
    name = f"{file_stem(analysis.recording)}.html"
    page = report_page(analysis)
    with staging(folder) as staged:
        (staged / name).write_text(page, encoding="utf-8", newline="\n")
    return Path(folder) / name


def report_page(analysis: Analysis) -> str:
    """Text of the report; see `write_report`."""
    # Only here, since most analyses leave no report.
    from ectopy.writers.report_parts import report_sections
    from ectopy.writers.report_strips import grid
    from ectopy.writers.report_tiles import facts, tiles

    times = Times(analysis.start, analysis.n_samples / analysis.fs)
    return (
        _environment()
        .get_template("report.html")
        .render(
            recording=analysis.recording,
            running_head=_css_text(f"{analysis.recording}, lead {analysis.lead}"),
            note=NOTE,
            facts=facts(analysis, times),
            warnings=analysis.warnings,
            tiles=tiles(analysis),
            sections=report_sections(analysis, times),
            grid=grid(),
            colours=COLOURS,
            version=analysis.version,
        )
    )


def _environment() -> Environment:
    """Templates whose every value is escaped, and freed of what a page cannot hold."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    def finalize(value: Any) -> Any:
        is_text = isinstance(value, str) and not isinstance(value, Markup)
        return clean(value) if is_text else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rows"] = _table_rows
    return environment


def _table_rows(rows: Sequence[Sequence[str | Markup]], table: Table) -> Markup:
    """Rows of a table; not in the template, where thousands of them would take a second."""
    starts = ['<td class="w">' if i in table.words else "<td>" for i in range(len(table.head))]
    lines = []
    for name, *cells in rows:
        title: str = _cell(name)
        if name in table.links:
            title = f'<a href="#{escape(table.links[name])}">{title}</a>'
        values = (
            f"{start}{_cell(cell)}</td>" for start, cell in zip(starts[1:], cells, strict=True)
        )
        lines.append(f'<tr><th scope="row">{title}</th>{"".join(values)}</tr>\n')
    return Markup("".join(lines))  # noqa: S704  # every cell has been through _cell


def _cell(value: str | Markup) -> Markup:
    return value if isinstance(value, Markup) else escape(clean(value))


def _css_text(text: str) -> str:
    r"""Text as it stands in a style sheet between quotes: all but plain letters by their number.

    Examples
    --------
    >>> _css_text("a b</style>")
    'a\\20 b\\3c \\2f style\\3e '
    """
    return "".join(
        letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):x} "
        for letter in clean(text)
    )
