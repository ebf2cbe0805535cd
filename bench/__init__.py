"""Measurements on the local cloud; the numbers are in docs/performance.md."""
