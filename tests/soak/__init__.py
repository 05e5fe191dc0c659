"""Faults, load and attacks for minutes, with figures: ``make soak``. ``make test`` runs a short form of each."""
