"""Secrets that are looked for: in files, in what was printed, in the arguments and environments of processes."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST = 12
"""A shorter secret would be found by accident."""
POLL_SECONDS = 0.02


def forms(secret: str) -> set[bytes]:
    """Return the secret as it may lie in a text: as it is, quoted for a URL or for JSON, and within base64."""
    assert len(secret) >= SHORTEST
    raw = secret.encode()
    found = {raw, json.dumps(secret)[1:-1].encode(), repr(secret)[1:-1].encode()}
    found |= {quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret).encode()}
    # In a longer text the secret begins at any of the three places of a group. The groups at its ends hold neighbours.
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        inner = encoded[4 if before else 0 : (before + len(raw)) // 3 * 4]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


@dataclass(frozen=True)
class Hit:
    """A secret where none may be."""

    place: str
    secret: str
    around: str


class Secrets:
    """What is looked for, by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._forms = {name: forms(value) for name, value in self.values.items()}

    def named(self, text: bytes) -> set[str]:
        """Return the names of the secrets that are in a text."""
        return {name for name, all_ in self._forms.items() if any(form in text for form in all_)}

    def hits(self, texts: Iterable[tuple[str, bytes]]) -> list[Hit]:
        """Return every text that has a secret in it, with what is around the first one. Secrets are masked."""
        found = []
        for place, text in texts:
            for name in sorted(self.named(text)):
                start = min(text.index(form) for form in self._forms[name] if form in text)
                around = text[max(0, start - 150) : start + 150]
                for masked, all_ in self._forms.items():
                    for form in sorted(all_, key=len, reverse=True):
                        around = around.replace(form, f"<{masked}>".encode())
                found.append(Hit(place, name, around.decode("utf-8", "replace")))
        return found


def read_files(*roots: Path, besides: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Read every file below the roots. A compressed one, such as the engine's own log, is also read unpacked."""
    left_out = set(besides)
    for root in roots:
        for file in sorted([root, *root.rglob("*")] if root.is_dir() else [root]):
            if not file.is_file() or file.is_symlink() or file in left_out:
                continue
            content = file.read_bytes()
            yield str(file), content
            if content.startswith(b"\x1f\x8b"):
                yield f"{file} (decompressed)", gzip.decompress(content)


@dataclass
class Processes:
    """What was seen of all processes that ran meanwhile."""

    arguments: set[bytes] = field(default_factory=set)
    environments: dict[bytes, set[str]] = field(default_factory=dict)
    """By an environment, the programs that had it."""

    def look(self, known: set[tuple[int, bytes]]) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes()
                # A process becomes another program by exec, with the same number.
                if (seen := (int(process.name), arguments)) in known:
                    continue
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            known.add(seen)
            self.arguments.add(arguments)
            self.environments.setdefault(environment, set()).add(program(arguments))

    def holders(self, secrets: Secrets) -> dict[str, set[str]]:
        """Return for each secret the programs in whose environment it was."""
        found: dict[str, set[str]] = {}
        for environment, programs in self.environments.items():
            for name in secrets.named(environment):
                found.setdefault(name, set()).update(programs)
        return found


def program(arguments: bytes) -> str:
    """Name the program of a command line: the script or the module where it is an interpreter's."""
    words = [word.decode("utf-8", "replace") for word in arguments.split(b"\0") if word]
    if not words:
        return ""
    name = Path(words[0]).name
    if name.startswith("python"):
        rest = iter(words[1:])
        for word in rest:
            if word == "-m":
                return f"python -m {next(rest, '')}"
            if not word.startswith("-"):
                return Path(word).name
    if name in {"sh", "bash"}:
        return Path(words[1]).name if len(words) > 1 else name
    return name


@contextmanager
def watched() -> Iterator[Processes]:
    """Watch all processes for the length of a block."""
    seen, known, stop = Processes(), set[tuple[int, bytes]](), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.look(known)
            time.sleep(POLL_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
