"""Measurements: `python -m benchmarks.NAME --json` prints figures and what they compare with."""
