"""Scripts beside the package as modules, for tests of their parts."""

import importlib.util
import sys
from unittest import mock


def loaded(path):
    """The module of a script that is in no package; it finds those beside it, as when it is run."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(sys, "path", [str(path.parent), *sys.path]):
        spec.loader.exec_module(module)
    return module
