"""Random parts of pauses, so that many processes don't do the same at the same moment."""

import random


def jitter(least: float = 0.5, most: float = 1.0) -> float:
    """A factor for a pause."""
    return random.uniform(least, most)  # noqa: S311  # not a secret
