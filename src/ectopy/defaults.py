"""Which model is taken where none is asked for; nothing is imported here, so that help is quick."""

from __future__ import annotations

DEFAULT_MODEL = "rhythm-kan"
DEFAULT_PROTOCOL = "inter"
"""Trained on DS1 and the paced records, none of which DS2 holds: its figures on DS2 are true of
what analyses a recording."""
