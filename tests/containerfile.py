"""Reads a Containerfile: its instructions, with continued lines put together."""

import re
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[1] / "Containerfile"


class Instruction(NamedTuple):
    """A word such as RUN, and the rest of its line."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """Return the instructions in their order."""
    lines = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(" ", 1)) for line in whole.splitlines() if line.strip()]
