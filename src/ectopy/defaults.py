"""Which model is taken where none is asked for; nothing is imported here, so that help is quick."""

from __future__ import annotations

DEFAULT_MODEL = "cnn-mlp"
DEFAULT_PROTOCOL = "intra"
