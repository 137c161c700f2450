"""Scripts beside the package as modules, for tests of their parts."""

import importlib.util


def loaded(path):
    """The module of a script that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
