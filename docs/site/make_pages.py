"""Write the pages that robustiqa itself knows best: ``python docs/site/make_pages.py`` (in robustiqa's environment)."""

import shutil
from pathlib import Path

import click


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path(__file__).parent / "generated", show_default=True)
def main(out: Path) -> None:
    """Write a page for each model, attack, defense and dataset, and the reference of the command line, to OUT."""
    import cli_page
    import registry_pages

    shutil.rmtree(out, ignore_errors=True)
    for name, text in {**registry_pages.pages(), "cli.md": cli_page.page()}.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
