"""Engines on this CPU, side by side: `python -m benchmarks.engine`."""
