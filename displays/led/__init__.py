"""Text to pixels to frames for LED boards; pure."""
