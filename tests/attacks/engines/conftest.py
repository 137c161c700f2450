"""ART is imported before the tests that import it themselves: two pytest workers may be the first in a home folder."""

from robustiqa.attacks.engines.art import art_modules

art_modules()
