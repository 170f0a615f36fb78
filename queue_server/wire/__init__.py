"""The typed messages between processes and browsers; a pure leaf that imports nothing of ours."""
