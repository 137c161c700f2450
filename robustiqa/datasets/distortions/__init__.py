"""KADID-10k's 25 distortion types at its 5 published levels, and any level between or beyond them."""

from robustiqa.datasets.distortions.catalogue import LEVELS, TYPES, Distortion, distort, distortion

__all__ = ["LEVELS", "TYPES", "Distortion", "distort", "distortion"]
