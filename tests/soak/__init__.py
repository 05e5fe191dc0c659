"""Faults, load and attacks for minutes, with figures: ``make soak``. A short form of each runs in ``make test``."""
