"""`python -m queue_server` is `yichuang`."""

from queue_server.cli import run

run()
