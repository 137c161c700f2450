"""The paper's own figures in the package: as printed, complete, with their citation."""

from importlib.resources import files

import pytest

from robustiqa.models import MODELS as OURS
from robustiqa.reports.paper_figures import ATTACK_FIELDS, CITATION, MODELS, paper_rows, printed, split_defense
from robustiqa.reports.table import Number

FILES = sorted(path.name for path in files("robustiqa.reports").joinpath("paper").iterdir() if path.name.endswith(".csv"))


@pytest.mark.parametrize("name", FILES)
def test_files_are_the_published_ones(shared, name):
    """Byte for byte."""
    assert files("robustiqa.reports").joinpath("paper", name).read_bytes() == (shared / "paper" / name).read_bytes()


def test_there_is_a_file_for_each_table_and_a_citation():
    """Nine of them."""
    assert [name[:6] for name in FILES] == [f"table{n}" for n in range(1, 10)]
    text = files("robustiqa.reports").joinpath("paper", "README.md").read_text(encoding="utf-8")
    assert CITATION.split(" (")[0] in text


def test_figures_keep_their_digits_and_dashes():
    """0.830 stays three digits, 46 none, nothing stays nothing."""
    assert printed("0.830") == Number(0.83, digits=3)
    assert printed("46") == Number(46.0, digits=0)
    assert printed("") is None


def test_names_of_ours_exist():
    """What stands for the paper's models and attacks can be run here."""
    ours = {name for names in MODELS.values() for name in names if not name.startswith("pyiqa:")}
    assert ours <= set(OURS.names())
    assert (MODELS["DeepQA"], MODELS["JND-SalCAR"]) == ((), ())
    assert set(ATTACK_FIELDS.values()) < set(paper_rows("table6_bapps_2afc")[0])


def test_a_method_is_split_into_model_and_defense():
    """A dash within a name is not a defense's."""
    assert split_defense("AAT-BiRQA") == ("BiRQA", "AAT")
    assert split_defense("LPIPS-VGG") == ("LPIPS-VGG", "base")
    assert split_defense("JND-SalCAR") == ("JND-SalCAR", "base")
