"""The other end of every protocol: shipped, for tests, demos and training."""
