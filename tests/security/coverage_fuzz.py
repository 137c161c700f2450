"""Coverage-guided fuzzing of the readers of images and of results: what random damage of test_fuzz.py does not reach.

Needs ``pip install atheris`` (Linux). Example, ten minutes: python tests/security/coverage_fuzz.py images -max_total_time=600
Other options are libFuzzer's. A finding ends it with a traceback and the input in a file; keep that as a test.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, from anywhere
with atheris.instrument_imports(include=["robustiqa", "PIL", "json", "pydantic"]):
    from tests.security.readers import cell_texts, image_files, read_an_image, read_results


def image_target(folder):
    """What reads one input as an image, and the inputs to start from."""
    path = folder / "image"

    def read(content):
        path.write_bytes(content)
        read_an_image(path)

    return read, image_files()


def result_target(folder):
    """What reads one input as a cell and as a journal, and the inputs to start from."""
    cells = folder / "results" / "cells"
    cells.mkdir(parents=True)

    def read(content):
        for suffix in (".json", ".jsonl"):
            path = cells / f"a{suffix}"
            path.write_bytes(content)
            read_results(folder / "results")
            path.unlink()

    return read, [text.encode() for text in cell_texts(folder / "run")]


TARGETS = {"images": image_target, "results": result_target}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"{__doc__}\nSay what to fuzz: {' or '.join(TARGETS)}.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        read, starts = TARGETS[sys.argv.pop(1)](folder)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, start in enumerate(starts):
            (corpus / str(number)).write_bytes(start)
        atheris.Setup([*sys.argv, str(corpus)], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
