# make bench: a first benchmark on a fresh machine. make test: the tests. Both install into .venv.
# make docs: the documentation site, build/site. make dist: sdist and wheel, checked. make audit: known holes in what is
# installed (asks a server). Their tools go into .venv-tools.
PYTHON ?= python3
VENV ?= .venv
TOOLS ?= .venv-tools

.PHONY: install bench test docs dist audit

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[all]'
	touch $@

$(TOOLS)/installed: .ci/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r .ci/tools.txt
	touch $@

bench: install
	$(VENV)/bin/robustiqa bench --model birqa --attack autoattack

test: install
	$(VENV)/bin/pytest

# -W: a broken link, a page that nothing leads to, a docstring that cannot be read are errors
docs: install $(TOOLS)/installed
	$(VENV)/bin/python docs/site/make_pages.py
	$(TOOLS)/bin/sphinx-build -W --keep-going -q -c docs/site . build/site
	@echo "build/site/docs/site/index.html"

dist: $(TOOLS)/installed
	rm -rf dist
	$(TOOLS)/bin/python -m build --no-isolation
	$(TOOLS)/bin/twine check --strict dist/*
	$(TOOLS)/bin/check-wheel-contents dist/*.whl

# --strict: a package that the server does not know is an error, not a pass. SECURITY.md explains what it finds.
audit: install $(TOOLS)/installed
	mkdir -p build
	$(VENV)/bin/pip freeze --exclude-editable > build/installed.txt
	$(TOOLS)/bin/pip-audit --strict --no-deps --disable-pip --requirement build/installed.txt
