"""The outside world: each an adapter behind one small port."""
