"""Labelled synthetic ECG: N, S, V, F and paced beats, rhythms, noise, from a seed, at any rate.

`simulate` makes a recording with its truth, `stream` makes one of any length block by block,
`demo` makes the recording of the demonstration.
"""

from ectopy.simulate.blocks import Block, demo, dropouts, simulate, stream
from ectopy.simulate.settings import RHYTHMS, SHARES, Simulation

__all__ = ["RHYTHMS", "SHARES", "Block", "Simulation", "demo", "dropouts", "simulate", "stream"]
