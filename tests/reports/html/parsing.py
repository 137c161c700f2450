"""HTML as a browser's tokenizer sees it, and rows with names that mean harm."""

from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr", "path", "rect"}
ATTACKS = (
    "<script>window.pwned=1</script>",
    "</title></style></script><img src=x onerror='window.pwned=1'>",
    '"><svg onload="window.pwned=1">',
    "' autofocus onfocus='window.pwned=1",
    "javascript:window.pwned=1",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!-- --!>",
    "\u202egnp.exe\x00\x0b\u2028",
)


@dataclass
class Page(HTMLParser):
    """Tags in their order, texts, attributes; raises where tags do not nest."""

    source: str
    tags: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    attributes: list = field(default_factory=list)
    stack: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


def named(rows, name):
    """Every row with ``name`` in every text that a plug-in or a results folder may choose."""
    return [_named(row, name) for row in rows]


def _named(row, name):
    spec = row.view.spec
    model = spec.model.model_copy(update={"name": name, "licence": name, "code": name, "trained_on": (name,), "weights": name})
    dataset = spec.dataset.model_copy(update={"name": name, "human_score": name, "labels": name, "manifest": name})
    attack = spec.attack.model_copy(update={"label": name + spec.attack.label, "name": name, "parameters": {name: name}})
    samples = tuple(r.model_copy(update={"distortion": f"{name}{r.distortion}"}) for r in row.view.rows)
    spec = spec.model_copy(update={"model": model, "dataset": dataset, "attack": attack})
    return replace(row, view=replace(row.view, spec=spec, rows=samples), flags=(name, "few-clusters"))


def cells_named(cells, name):
    """Cells with the same names, for the provenance."""
    found = []
    for cell in cells:
        spec = cell.spec
        changed = {"model": spec.model.model_copy(update={"name": name}), "dataset": spec.dataset.model_copy(update={"name": name})}
        found.append(cell.model_copy(update={"spec": spec.model_copy(update=changed), "provenance": {name: name, "created": name}}))
    return found
