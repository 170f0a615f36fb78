"""What each screen shows: documents rendered from the committed hall, and nothing else."""
