"""Which signals of an EDF file are ECG leads, and what they are called.

Labels are those of the EDF+ standard texts ("ECG II", "EEG Fpz-Cz", "Resp chest"), or whatever a
recorder writes in their place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ectopy.errors import RecordingError
from ectopy.readers.source import unique_names
from ectopy.readers.voltage import mv_per_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ectopy.readers.edf_header import EDFHeader, EDFSignal

_ECG = re.compile(r"(?:ECG|EKG)(?![A-Za-z])", re.IGNORECASE)
_PREFIX = re.compile(r"(?:(?:ECG|EKG)[\s_:-]+)?(?:lead[\s_:-]+)?(?=\S)", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:lead[\s_:-]+)?(?:I{1,3}|-?aV[RLF]|V[1-9]R?|V[XYZ]|ML?I{1,3}|MV[1-6]|MCL\s?[1-6]|C[MCS][1-6])",
    re.IGNORECASE,
)
# Voltages that are none of an ECG: other kinds of signal of the EDF+ standard texts, words for
# what is recorded in sleep, and electrodes of an EEG (10-20 system), alone or in pairs. C1 may be
# an electrode, or V1 in the code of the IEC, so that only the usual electrodes are taken as such.
_OTHER = re.compile(
    r"(?:EEG|EOG|EMG|ERG|MEG|MCG|EP|SEP|LOC|ROC|LAT|RAT|PPG)(?![A-Za-z]).*|"
    r"(?:Resp|Thor|Abdo|Chest|Effort|Flow|Airflow|Nasal|Pleth|SpO2|SaO2|Snor|Sound|Light|Event|"
    r"Marker|Trigger|Status|Pos|Body|Temp|Acc|Chin|Leg|Pulse|Press|Battery).*|"
    r"(?:Fp|AF|FC|FT|CP|TP|PO|[FTPO])(?:z|\d{1,2})|C[34z]|[AM][12]|"
    r"(?:Fp|AF|FC|FT|CP|TP|PO|[FTPOCAM])(?:z|\d{1,2})[\s:-]+\S+",
    re.IGNORECASE,
)


def ecg_leads(header: EDFHeader) -> tuple[dict[str, EDFSignal], tuple[str, ...]]:
    """Choose the ECG leads of a file.

    Those are the voltages whose label says ECG or EKG, or is that of a lead. Where no label does
    so, they are all voltages whose label does not say something else.

    Parameters
    ----------
    header : EDFHeader

    Returns
    -------
    leads : dict of str to EDFSignal
        By name: the label without `ECG`, where something is left; no two alike.
    left_out : tuple of str
        Labels of other signals, annotations apart, each with the reason.

    Raises
    ------
    RecordingError
        If no signal is an ECG lead.
    """
    signals = [signal for signal in header.signals if not signal.is_annotation]
    voltages = [s for s in signals if mv_per_unit(s.unit) is not None and s.n_samples > 0]
    chosen = [s for s in voltages if _ECG.search(s.label) or _LEAD.fullmatch(s.label)]
    chosen = chosen or [s for s in voltages if not _OTHER.fullmatch(s.label)]
    if not chosen:
        raise _no_lead(header, signals)
    names = unique_names([_PREFIX.sub("", s.label, count=1) for s in chosen])
    left_out = tuple(
        f"{s.label or s.number} ({'no ECG' if s in voltages else 'no voltage'})"
        for s in signals
        if s not in chosen
    )
    return dict(zip(names, chosen, strict=True)), left_out


def _no_lead(header: EDFHeader, signals: Sequence[EDFSignal]) -> RecordingError:
    has = ", ".join(f"{s.label!r} in {s.unit or 'no unit'}" for s in signals[:6])
    more = f" and {len(signals) - 6} more" if len(signals) > 6 else ""
    return RecordingError(
        f"{header.path.name} holds no ECG lead: it has {has or 'annotations alone'}{more}; "
        "expected a signal in mV, uV or V that is labelled as ECG, correct the labels or units"
    )
