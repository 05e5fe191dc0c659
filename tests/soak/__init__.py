"""Faults, load and attacks for minutes, with figures: ``make soak``. ``make thorough`` runs a short form of each."""
