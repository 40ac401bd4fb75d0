"""What all figures of an evaluation have in common: colours, markers, size, grid, legend."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

DPI = 120

# Colours of Okabe and Ito, which people with any colour vision can tell apart; and each line has
# its own marker and dashes, so that the figure also reads in grey.
LOOKS: tuple[tuple[str, str, Any], ...] = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
    ("#E69F00", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#000000", "P", (0, (8, 2))),
)
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++")
"""Of bars, in the order of `LOOKS`."""

INK, GRID = "#222222", "#dddddd"


@contextmanager
def plain_settings() -> Iterator[None]:
    """Draw the same figure whatever a user's own settings are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.size": 11,
                "text.parse_math": False,
                "text.color": INK,
                "axes.labelcolor": INK,
                "hatch.linewidth": 0.6,
            }
        )
        yield


def new_figure(width_px: int, height_px: int) -> Figure:
    """Make an empty figure that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white", layout="constrained"
    )
    FigureCanvasAgg(figure)
    return figure


def tidy(panel: Axes) -> None:
    """Give a panel a grid behind what is drawn, and no box."""
    panel.grid(color=GRID)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def log_axis(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, at powers of ten only."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:.10f}".rstrip("0").rstrip("."))
    )
    axis.set_minor_formatter(NullFormatter())


def legend_below(figure: Figure, panel: Axes, columns: int = 4) -> None:
    """Name what a panel shows, once for the whole figure."""
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(columns, len(labels)),
        frameon=False,
        handlelength=4,
    )
