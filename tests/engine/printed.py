"""The commands of a page of the documents, as printed, and a shell that runs them."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.engine.workspace import REPOSITORY, SECONDS, Finished

_ENDED = "this line ended with"


@dataclass(frozen=True)
class Typed:
    """A line that is typed, without its comment, and what the page says that it prints."""

    line: str
    shown: tuple[str, ...]
    """Lines in their order. `…` stands for anything in a line, and for any lines where it stands alone."""

    def told_by(self, said: str) -> bool:
        """Whether this was printed: each line that is shown, in the same order."""
        lines = iter(said.splitlines())
        patterns = (
            ".*".join(map(re.escape, each.rstrip().split("…")))
            for each in self.shown
            if each.strip() != "…"
        )
        return all(
            any(re.fullmatch(pattern, line.rstrip()) for line in lines) for pattern in patterns
        )


def typed_on(page: str) -> list[Typed]:
    """Read the blocks of a shell's session on a page of `docs/`."""
    text = (REPOSITORY / "docs" / page).read_text("utf-8")
    typed = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for each in block.removeprefix("$ ").split("\n$ "):
            line, *shown = each.splitlines()
            typed.append(Typed(line.partition(" #")[0].rstrip(), tuple(filter(str.strip, shown))))
    return typed


class Shell:
    """Runs lines as an operator types them, in a folder, and keeps what they printed."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.printed: dict[str, str] = {}

    def run(self, line: str, *codes: int) -> Finished:
        """Run a line that must end with one of these codes, or with 0."""
        finished = self._bash(line)
        assert finished.code in (codes or (0,)), f"$ {line}\n{finished.said}"
        self.printed[line] = finished.said
        return finished

    def json(self, line: str, *codes: int) -> object:
        """Run a line with --json and read what it prints."""
        return json.loads(self.run(f"{line} --json", *codes).out)

    def session(self, typed: Sequence[Typed], codes: Mapping[str, int]) -> None:
        """Run lines in one shell, each of which must print what its page shows.

        :param codes: what a line ends with that does not end with 0
        """
        script = [f"{each.line}\nprintf '\\n{_ENDED} %s\\n' $?" for each in typed]
        said = self._bash("exec 2>&1\n" + "\n".join(script)).out
        parts = re.split(rf"\n{_ENDED} (\d+)\n", said)
        for each, told, code in zip(typed, parts[::2], parts[1::2], strict=False):
            assert int(code) == codes.get(each.line, 0), f"$ {each.line}\n{told}"
            assert each.told_by(told), f"$ {each.line}\n{told}\nis not what the page shows"
        assert len(parts) == 2 * len(typed) + 1, said

    def _bash(self, script: str) -> Finished:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)
