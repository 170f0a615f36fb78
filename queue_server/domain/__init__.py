"""The rules of a hall as pure functions; no I/O, clock or randomness may live here."""
