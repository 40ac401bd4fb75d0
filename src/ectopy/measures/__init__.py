"""What beats add up to: rates, pauses, runs and patterns, atrial fibrillation, variability.

Everything here takes the times of beats in seconds and their classes, and nothing of the signal.
Each measure is defined, with its source, in ``docs/measures.md``.
"""
