"""How much of what a file says is believed."""

from __future__ import annotations

MAX_FS = 100_000.0
"""Highest sampling frequency in Hz that is believed."""

MAX_MV = 1e15
"""Highest size in mV of a gain, a range or an offset that is believed; beyond it, samples would not
remain numbers."""

MOST_LEADS = 256
"""Leads of a recording; beyond that a file is no ECG."""
