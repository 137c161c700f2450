# make bench: a first benchmark on a fresh machine. make test: the tests. Both install into .venv.
PYTHON ?= python3

.PHONY: install bench test

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -e '.[all]'
	touch $@

bench: install
	.venv/bin/robustiqa bench --model birqa --attack autoattack

test: install
	.venv/bin/pytest
