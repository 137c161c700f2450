"""An output folder: its cells and journals, continued, merged, or kept at a URL."""
