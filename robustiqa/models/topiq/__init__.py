"""TOPIQ-FR (Chen et al., IEEE TIP 33, 2024, arXiv 2308.03060), one file per module of the paper."""
