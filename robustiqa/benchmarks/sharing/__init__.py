"""Who computes the batches of a run: threads here, processes of this machine, the workers of a cluster."""
