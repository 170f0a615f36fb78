"""Bytes to frames and back; pure, bounded, never raises on what a line delivers."""
