"""Reports read cells from disk and nothing else."""
