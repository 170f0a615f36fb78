"""Pure estimates of waits and staffing from a hall's state; no I/O, clock or randomness."""
