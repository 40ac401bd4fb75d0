"""What is taken where nothing is asked for; nothing is imported here, so that help is quick."""

from __future__ import annotations

DEFAULT_MODEL = "rhythm-kan"
DEFAULT_PROTOCOL = "inter"
"""Trained on DS1 and the paced records, none of which DS2 holds: its figures on DS2 are true of
what analyses a recording."""

DEFAULT_FILES = ("annotations", "csv", "json", "html", "png")
"""Files that an analysis leaves; `ectopy.writers.FILES` has all kinds."""
