"""Suites to cells, cells to files: the plan, its jobs and their store."""
