"""Which signals are ECG leads, and what they are called, by their labels.

Labels are those of the EDF+ standard texts ("ECG II", "EEG Fpz-Cz", "Resp chest"), or whatever a
recorder writes in their place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def pick_ecg(labels: Sequence[str], guess: bool = True) -> list[int]:
    """Choose the ECG leads among signals that measure a voltage.

    Parameters
    ----------
    labels : sequence of str
        Their labels.
    guess : bool
        Whether, where no label says ECG or EKG or names a lead, all are chosen whose label does not
        say something else.

    Returns
    -------
    list of int
        Indices into `labels`, ascending.

    Examples
    --------
    >>> pick_ecg(["ECG", "V5", "Resp", "CH 1"]), pick_ecg(["Resp", "CH 1"])
    ([0, 1], [1])
    """
    named = [i for i, label in enumerate(labels) if _ECG.search(label) or _LEAD.fullmatch(label)]
    if named or not guess:
        return named
    return [i for i, label in enumerate(labels) if not _OTHER.fullmatch(label)]


def lead_name(label: str) -> str:
    """Name of a lead: its label without `ECG` and `lead`, where something is left.

    Examples
    --------
    >>> lead_name("ECG II"), lead_name("ECG"), lead_name("Lead aVF")
    ('II', 'ECG', 'aVF')
    """
    return _PREFIX.sub("", label, count=1)
