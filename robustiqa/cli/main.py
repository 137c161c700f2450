"""``robustiqa``: commands, and errors as one line with an exit code.

0 done, 1 some cells failed or could not be written, 2 bad input, 130 interrupted.
"""

import signal
import sys
import threading
import warnings
from typing import NoReturn

import click

from robustiqa.cli.ablate import ablate
from robustiqa.cli.attack import attack
from robustiqa.cli.bench import bench
from robustiqa.cli.compare import compare
from robustiqa.cli.datasets import datasets
from robustiqa.cli.doctor import doctor
from robustiqa.cli.evaluate import evaluate
from robustiqa.cli.leaderboard import leaderboard
from robustiqa.cli.listing import attacks, defenses, models
from robustiqa.cli.merge import merge
from robustiqa.cli.report import report
from robustiqa.cli.rerun import rerun
from robustiqa.cli.score import score
from robustiqa.cli.search_features import search_features
from robustiqa.cli.speed import speed
from robustiqa.cli.train import train
from robustiqa.cli.train_attack import train_attack
from robustiqa.cli.transfer import transfer
from robustiqa.core.errors import CannotWrite, RobustIQAError, raise_interrupt_behind
from robustiqa.core.memory import keep_freed_memory

EPILOG = """\b
Start here:
  robustiqa bench --model birqa --attack autoattack      attack a metric, print a table
  robustiqa report runs/bench --format md                the same results as a report
  robustiqa score ref.png dist.png --model birqa         score one pair
  robustiqa attack ref.png dist.png --out runs/one       attack one pair, look at the pictures
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="robustiqa")
def cli() -> None:
    """Measure how far an attacker can move a full-reference image quality metric, and how much a defense helps."""


for command in (
    bench, merge, report, compare, leaderboard, transfer, evaluate, speed, score, attack, train, train_attack,
    search_features, ablate, rerun, doctor, models, attacks, defenses, datasets,
):  # fmt: skip
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line; errors that robustiqa raises on purpose become one line on standard error."""
    keep_freed_memory()
    _end_like_an_interrupt()
    # Our own limit refuses such images, with a message of one line.
    warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
    try:
        code = _run()
    except click.ClickException as error:
        error.show()
        code = 2
    except RobustIQAError as error:
        click.echo(f"robustiqa: {error}", err=True)
        code = 1 if isinstance(error, CannotWrite) else 2
    except (KeyboardInterrupt, click.Abort):  # click makes the second of the first
        click.echo("robustiqa: interrupted; finished batches are kept, the same command continues.", err=True)
        code = 130
    sys.exit(code)


def _run() -> int:
    try:
        return cli.main(prog_name="robustiqa", standalone_mode=False) or 0  # the code of an Exit, and None otherwise
    except ImportError as error:
        raise_interrupt_behind(error)
        raise


def _end_like_an_interrupt() -> None:
    """What a scheduler ends (SIGTERM) stops as Ctrl-C does: worker processes end too, and the message is printed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
