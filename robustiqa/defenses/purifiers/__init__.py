"""Purifiers: one file each; what they share is in base, substitute, windows, denoisers and soft_jpeg."""
