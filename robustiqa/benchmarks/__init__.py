"""Suites to cells, cells to files: the runner, its store and its plan."""
