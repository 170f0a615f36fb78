"""The hall's server: one writer per hall, a journal, and what screens and devices are told."""
