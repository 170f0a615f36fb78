"""Numbers to phrases to audio."""
