"""Measurements: run with `make bench`. Figures go to docs/MEASUREMENTS.md by hand, with what they were measured on."""
