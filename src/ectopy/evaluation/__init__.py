"""Measuring models: metrics, protocols, comparisons."""
