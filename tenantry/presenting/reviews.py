"""What the steps of CI print: remarks at lines of the registry, and what was written on GitHub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tenantry.presenting.printing import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.ci.annotations import Annotation
    from tenantry.ci.github import Written


def print_annotations(
    annotations: Sequence[Annotation], *, as_json: bool = False, **more: object
) -> None:
    """Print remarks on standard output.

    :param more: what the JSON object has beside them
    """
    from dataclasses import asdict

    from tenantry.ci.annotations import as_command, as_line, limited
    from tenantry.ci.runner import on_github

    if as_json:
        print_json({**more, "annotations": [asdict(each) for each in annotations]})
        return
    if on_github(os.environ):
        for each in limited(annotations):
            print(as_command(each), flush=True)
    else:
        for each in annotations:
            print(as_line(each), flush=True)


def print_written(what: str, done: Written, *, as_json: bool) -> None:
    """Print what became of a comment or an issue."""
    if as_json:
        print_json({"done": done.done, "url": done.url})
    else:
        print(f"{what}: {done.done}" + (f": {done.url}" if done.url else ""))
