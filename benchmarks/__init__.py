"""Measurements: `python -m benchmarks.NAME --json` prints each figure with the reference it was measured against."""
