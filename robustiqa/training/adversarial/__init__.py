"""Training defenses in pieces: an inner attack, a batch policy and a loss, one file per idea."""
