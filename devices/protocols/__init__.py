"""Frames to device messages and back; pure state machines that take the time as an argument."""
