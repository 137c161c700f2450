"""Where robustiqa keeps what it can make or fetch again."""

import os
from pathlib import Path

import platformdirs


def cache_folder(kind: str) -> Path:
    """``$ROBUSTIQA_CACHE`` or the user's cache folder, and in it a folder for ``kind``; not created here."""
    root = os.environ.get("ROBUSTIQA_CACHE") or platformdirs.user_cache_dir("robustiqa")
    return Path(root) / kind
