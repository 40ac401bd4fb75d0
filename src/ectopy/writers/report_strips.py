"""Strips of the report: ECG on paper as SVG, 25 mm a second and 10 mm a millivolt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ectopy.mapped import release
from ectopy.writers.paper import (
    MM_PER_S,
    annotated_otherwise,
    centred,
    class_of_samples,
    time_text,
)
from ectopy.writers.report_svg import LETTERS, coordinate, path, polyline, svg, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from ectopy.analysis import Analysis

PULSE_MM = 10.0
"""Width left of a long strip for the calibration pulse of 1 mV."""

LONG_S = 7.0
"""Seconds in one row: with the pulse 185 mm, the width of a page without its margins."""

SHORT_S = 2.4
"""Seconds around one beat: 60 mm, three to the width of a page."""

GAINS = (10.0, 5.0, 2.5)
"""Millimetres a millivolt: the first is taken unless a strip would be higher than `TALLEST_MM`."""

TALLEST_MM = 60.0
LETTERS_MM = 5.0
SMALLEST_MV = (-0.5, 1.0)
"""What each strip shows at least, from its median: room for the pulse, and heights that match."""

GROUND_S = (0.28, 0.44)
"""Seconds before and after a beat that a strip is about: shown whole, on a darker ground."""

EDGE_MM = 1.6
"""Letters keep this far from the ends of their strip, not to be cut."""

RR_ROOM_MM = 8.5
"""Beats at least this far apart have the interval between them written in milliseconds."""

GRID_MM = (190, 70)


def grid() -> Markup:
    """Grid of ECG paper, which every strip uses: fine lines a millimetre apart, coarse ones 5."""
    width, height = GRID_MM
    lines = []
    for step, kind in ((1, "fine"), (5, "coarse")):
        upright = "".join(f"M{x} 0v{height}" for x in range(0, width + 1, step))
        level = "".join(f"M0 {y}h{width}" for y in range(0, height + 1, step))
        lines.append(path(upright + level, class_=kind))
    sheet = f'<g id="grid"><rect class="sheet" width="{width}" height="{height}"/>'
    return svg(0, 0, "ECG paper", ["<defs>", sheet, *lines, "</g>", "</defs>"], "defs")


@dataclass(frozen=True)
class Band:
    """What a strip shows of the signal, and how large.

    Attributes
    ----------
    low_mv, high_mv : float
        From the strip's median.
    gain : float
        Millimetres a millivolt.
    """

    low_mv: float
    high_mv: float
    gain: float

    @classmethod
    def of(cls, values_mv: NDArray[np.float64]) -> Band:
        """Choose it for values from their median; NaN are left out.

        All of them are shown at 10 mm/mV where that fits. Else it is the middle 99.8 %, so that a
        spike flattens nothing, and the gain is halved where needed.
        """
        seen = values_mv[np.isfinite(values_mv)]
        low, high = SMALLEST_MV
        if len(seen):
            low, high = min(low, float(seen.min()) - 0.1), max(high, float(seen.max()) + 0.1)
        if (high - low) * GAINS[0] > TALLEST_MM:
            low, high = np.percentile(seen, [0.1, 99.9]).tolist()
            low, high = min(SMALLEST_MV[0], low - 0.1), max(SMALLEST_MV[1], high + 0.1)
        for gain in GAINS:
            if (high - low) * gain <= TALLEST_MM:
                return cls(low, high, gain)
        low = max(low, -TALLEST_MM / GAINS[-1] / 2)
        return cls(low, min(high, low + TALLEST_MM / GAINS[-1]), GAINS[-1])

    @classmethod
    def evened(cls, bands: Sequence[Band]) -> list[Band]:
        """Give all that have the first gain one height, where that fits; others keep theirs."""
        alike = [band for band in bands if band.gain == GAINS[0]]
        if not alike:
            return list(bands)
        low, high = min(band.low_mv for band in alike), max(band.high_mv for band in alike)
        if (high - low) * GAINS[0] > TALLEST_MM:
            return list(bands)
        one = cls(low, high, GAINS[0])
        return [one if band.gain == GAINS[0] else band for band in bands]

    @property
    def height_mm(self) -> float:
        """Height of the paper: whole small squares, the letters' room included."""
        return float(np.ceil((self.high_mv - self.low_mv) * self.gain + LETTERS_MM))

    @property
    def zero_mm(self) -> float:
        """Where the median lies, from the top."""
        return LETTERS_MM + self.high_mv * self.gain


class Paper:
    """Draws strips of one analysis.

    Parameters
    ----------
    analysis : Analysis
        Of its signal only the samples of the strips are read.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.fs = analysis.fs
        self.peaks = analysis.beats.peaks
        self.classes = analysis.beats.classes

    @cached_property
    def _remarks(self) -> tuple[NDArray[np.int64], list[str]]:
        """Where annotations say something else, and what."""
        remarks = annotated_otherwise(self.analysis.beats, self.analysis.reference)
        return np.array([at for at, _ in remarks], dtype=np.int64), [what for _, what in remarks]

    def rows(self, start_s: float, stop_s: float) -> list[Markup]:
        """Draw strips of `LONG_S` one below the other."""
        n = max(1, int(np.ceil((stop_s - start_s) / LONG_S - 1e-6)))
        starts = start_s + LONG_S * np.arange(n)
        return self.strips([(start, min(start + LONG_S, stop_s)) for start in starts.tolist()])

    def around(self, chosen: Sequence[int]) -> list[Markup]:
        """Draw short strips of `SHORT_S`, each with one beat, by its index, in its middle."""
        times = [int(self.peaks[beat]) / self.fs for beat in chosen]
        windows = [(time - SHORT_S / 2, time + SHORT_S / 2) for time in times]
        return self.strips(windows, pulse=False, chosen=chosen)

    def strips(
        self,
        windows: Sequence[tuple[float, float]],
        *,
        pulse: bool = True,
        chosen: Sequence[int] = (),
    ) -> list[Markup]:
        """Draw several strips, of one height where they can be.

        Parameters
        ----------
        windows : sequence of (float, float)
            From when to when, in seconds; what lies beyond the recording is left out.
        pulse : bool
            Whether a calibration pulse of 1 mV stands left of each.
        chosen : sequence of int
            Index of the beat to show on a darker ground in each, or nothing.
        """
        cuts = [self._cut(*window) for window in windows]
        beats: Sequence[int | None] = chosen or [None] * len(cuts)
        bands = [Band.of(self._about(beat, *cut)) for beat, cut in zip(beats, cuts, strict=True)]
        drawn = [
            self._draw(first, values, band, pulse, beat)
            for beat, (first, values), band in zip(beats, cuts, Band.evened(bands), strict=True)
        ]
        release(self.peaks)
        return drawn

    def _about(
        self, beat: int | None, first: int, values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Give what of a strip has to be seen whole: the beat it is about, or all of it."""
        if beat is None:
            return values
        place = int(self.peaks[beat]) - first
        before, after = round(GROUND_S[0] * self.fs), round(GROUND_S[1] * self.fs)
        return values[max(0, place - before) : place + after + 1]

    def _cut(self, start_s: float, stop_s: float) -> tuple[int, NDArray[np.float64]]:
        """First sample of a window, and its signal from its median."""
        first = max(0, round(start_s * self.fs))
        stop = min(self.analysis.n_samples, max(first + 1, round(stop_s * self.fs)))
        return first, centred(self.analysis.signal_mv[first:stop])

    def _draw(
        self,
        first: int,
        values: NDArray[np.float64],
        band: Band,
        pulse: bool,
        chosen: int | None,
    ) -> Markup:
        """Draw one strip."""
        stop = first + len(values)
        left = PULSE_MM if pulse else 0.0
        width = left + len(values) / self.fs * MM_PER_S
        height = band.height_mm
        parts = ['<use href="#grid"/>']
        if chosen is not None:
            parts.append(self._ground(chosen, first, height))
        if pulse:
            parts.append(_pulse(band))
        parts += self._trace(values, band, first, left)
        parts += self._letters(first, stop, left)
        if band.gain != GAINS[0]:
            parts.append(text(width - 1, height - 1, f"{band.gain:g} mm/mV", size=2.8, anchor="end",
                              class_="gain"))  # fmt: skip
        if not np.isfinite(values).any():
            parts.append(text(width / 2, height / 2, "no signal", size=3, anchor="middle"))
        return svg(width, height, self._title(first, stop, band), parts, "strip")

    def _title(self, first: int, stop: int, band: Band) -> str:
        letters = " ".join(LETTERS[index] for index in self._near(first, stop)[1].tolist())
        return (
            f"Lead {self.analysis.lead} from {time_text(first / self.fs)}, "
            f"{(stop - first) / self.fs:.1f} s at {MM_PER_S:g} mm/s and {band.gain:g} mm/mV; "
            f"beats: {letters or 'none'}"
        )

    def _near(self, first: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        inside = slice(*np.searchsorted(self.peaks, [first, stop]))
        return self.peaks[inside], self.classes[inside]

    def _ground(self, chosen: int, first: int, height: float) -> str:
        """Darker ground below one beat."""
        x = (self.peaks[chosen] - first) / self.fs * MM_PER_S
        start, stop = x - GROUND_S[0] * MM_PER_S, x + GROUND_S[1] * MM_PER_S
        place = f'x="{coordinate(start)}" width="{coordinate(stop - start)}"'
        return f'<rect class="ground" {place} height="{coordinate(height)}"/>'

    def _trace(self, values: NDArray[np.float64], band: Band, first: int, left: float) -> list[str]:
        """Draw the signal, what belongs to beats of other classes than N in their colours."""
        x = np.arange(len(values)) / self.fs * MM_PER_S
        y = band.zero_mm - values * band.gain
        top, bottom = LETTERS_MM - 0.5, band.height_mm
        kinds = class_of_samples(self.peaks, self.classes, self.fs, first, first + len(values))
        lines = []
        for index in np.unique(kinds).tolist():
            shown = kinds == index
            shown[1:] |= shown[:-1]  # neighbouring colours meet
            kind = f"t c{index % len(LETTERS)}" if index else "t"
            lines.append(path(polyline(x, np.where(shown, y, np.nan)), scaled=True, class_=kind))
        # An artefact is cut where the strip's own room ends, by a picture in the picture.
        width = float(x[-1]) + 0.2
        box = f"0 {coordinate(top)} {coordinate(width)} {coordinate(bottom - top)}"
        place = f'x="{coordinate(left)}" y="{coordinate(top)}" width="{coordinate(width)}"'
        return [
            f'<svg {place} height="{coordinate(bottom - top)}" viewBox="{box}">',
            *lines,
            "</svg>",
        ]

    def _letters(self, first: int, stop: int, left: float) -> list[str]:
        """Class of each beat above it, milliseconds between, what annotations say in brackets."""
        peaks, classes = self._near(first, stop)
        x = left + (peaks - first) / self.fs * MM_PER_S
        shown_x = x.clip(left + EDGE_MM, left + (stop - first) / self.fs * MM_PER_S - EDGE_MM)
        parts = []
        for index in np.unique(classes).tolist():
            # One place a letter: a single element however many beats there are.
            places = " ".join(coordinate(place) for place in shown_x[classes == index].tolist())
            n = int((classes == index).sum())
            parts.append(
                f'<text class="l l{index % len(LETTERS)}" y="3.6" x="{places}">'
                f"{LETTERS[index] * n}</text>"
            )
        samples, remarks = self._remarks
        inside = range(*np.searchsorted(samples, [first, stop]).tolist())
        marked = {int(samples[i]) for i in inside}
        for i in inside:
            place = left + (samples[i] - first) / self.fs * MM_PER_S + 1.2
            parts.append(text(place, 3.6, f"({remarks[i]})", size=2.4))
        for peak, before, after in zip(peaks.tolist(), x.tolist(), x[1:].tolist(), strict=False):
            if after - before >= RR_ROOM_MM + (4 if peak in marked else 0):
                rr_ms = 1000 * (after - before) / MM_PER_S
                middle = (after + before) / 2 + (2 if peak in marked else 0)
                parts.append(text(middle, 3.4, f"{rr_ms:.0f}", size=2.1, anchor="middle",
                                  class_="rr"))  # fmt: skip
        return parts


def _pulse(band: Band) -> str:
    """Calibration pulse of 1 mV, 0.2 s wide."""
    up = coordinate(band.gain)
    return path(f"M1 {coordinate(band.zero_mm)}h1.5v-{up}h5v{up}h1.5", class_="pulse")
