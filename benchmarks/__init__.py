"""Measured figures, never assertions on wall-clock time."""
