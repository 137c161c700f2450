"""The package as it is built and imported."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_robustiqa_alone_at_its_top_level(tmp_path):
    """No tests, docs or benchmarks land in site-packages; data files are in."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"robustiqa"}
    for name in (
        "py.typed",
        "models/birqa/birqa.safetensors",
        "datasets/kadid10k_means.csv",
        "training/recipes/clean.toml",
        "reports/html/templates/report.html.j2",
        "reports/html/templates/light.css",
    ):
        assert f"robustiqa/{name}" in names


def test_importing_robustiqa_does_not_import_torch():
    """The public names are imported on first use."""
    code = "import sys, robustiqa; print('torch' in sys.modules); robustiqa.load_model; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split()[0] == "False"


def test_every_public_name_resolves():
    """`robustiqa.__all__` is what the README speaks of."""
    import robustiqa

    for name in robustiqa.__all__:
        assert getattr(robustiqa, name) is not None


def test_the_citation_names_this_version_and_licence():
    """CITATION.cff is read by people and by services; its version is the package's."""
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nversion: {project['version']}\n" in citation
    assert f"\nlicense: {project['license']}\n" in citation
