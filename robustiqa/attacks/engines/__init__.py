"""Attacks of other libraries, run through our objective, budget and books."""
