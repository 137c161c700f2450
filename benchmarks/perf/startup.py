"""How long until something is there: ``robustiqa --help``, and a finished suite that is run again.

python benchmarks/perf/startup.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from figures import Figure, interleaved, parser, prepared, publish, spread

RUN = "import sys; from robustiqa.cli.main import main; sys.argv = ['robustiqa', *sys.argv[1:]]; main()"
SUITE = """title = "small"
judges = []
[[run]]
models = ["psnr", "ssim"]
datasets = ["demo"]
attacks = ["fgsm", "bim:steps=2"]
eps = ["2/255", "8/255"]
limit = 4
crop = 32
"""


def main() -> None:
    """Wall time of fresh processes; the first round, with cold files, is not counted."""
    options = parser(__doc__).parse_args()
    prepared(options)
    with tempfile.TemporaryDirectory() as folder:
        suite, out = Path(folder) / "suite.toml", Path(folder) / "out"
        suite.write_text(SUITE, encoding="utf-8")
        again = ("bench", str(suite), "--out", str(out))
        command(*again)
        seconds = interleaved(
            {
                "robustiqa --help": lambda: command("--help"),
                "a finished suite again": lambda: command(*again),
                "python alone": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
                "import torch alone": lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True),
            },
            options.runs,
        )
    wanted = {"robustiqa --help": 0.3, "a finished suite again": 2.0}
    figures = []
    for name, values in seconds.items():
        most, (middle, low, high) = wanted.get(name), spread(values)
        text, reached = ("", None) if most is None else (f"< {most} s", middle < most)
        figures.append(Figure("start", "processes", name, middle, low, high, "s", wanted=text, reached=reached))
    publish(figures, options.csv)


def command(*arguments: str) -> None:
    """Run robustiqa in a process of its own, with its output thrown away."""
    subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
