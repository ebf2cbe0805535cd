"""An Alembic history read as text: which revisions there are, and what each one follows.

To know that, Alembic would have to be imported, and it would import every file. Here the assignments that it looks at
are read from the syntax tree: `revision`, `down_revision`, `depends_on`. So a preview stays cheap, and runs none of an
operator's code.
"""

from __future__ import annotations

import ast
import hashlib
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tenantry.errors import did_you_mean
from tenantry.schemas.errors import SchemaError
from tenantry.schemas.layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tenantry.schemas.layout import Layout

HEAD: Final = "head"

# The files that Alembic takes for revisions (alembic.script.base, `_only_source_rgx`).
# CPython 3.11 counts how deep it is in a tree for all threads together, and fails where two parse at once.
_PARSING: Final = threading.Lock()
_REVISION_FILE: Final = re.compile(r"(?!\.#|__init__)(.*\.py)$")
_FIELDS: Final = frozenset({"revision", "down_revision", "depends_on"})


@dataclass(frozen=True)
class Revision:
    """One file of a history: its id, the ids that must be applied before it, and its content's digest."""

    id: str
    follows: tuple[str, ...]
    depends_on: tuple[str, ...]
    file: Path
    digest: str

    @property
    def needs(self) -> tuple[str, ...]:
        """Everything that must be applied before this revision."""
        return self.follows + self.depends_on


@dataclass(frozen=True)
class History:
    """A complete chain of revisions: each one's predecessors are there, and none comes after itself."""

    name: str
    """What messages call it: `template "base"`, `"./migrations/shop"`."""
    revisions: Mapping[str, Revision]

    def resolve(self, wanted: str) -> str:
        """Return the id of the revision `wanted`; `head` is the one that no other follows.

        :raises SchemaError: there is no such revision, or the history has several heads
        """
        if wanted != HEAD:
            if wanted not in self.revisions:
                hint = did_you_mean(wanted, self.revisions)
                raise SchemaError(
                    f'{self.name} has no revision "{wanted}": write one of '
                    f"{', '.join(self.order(self.revisions))}, or head{hint}"
                )
            return wanted
        followed = {id_ for each in self.revisions.values() for id_ in each.follows}
        heads = sorted(self.revisions.keys() - followed)
        if len(heads) > 1:
            raise SchemaError(
                f"{self.name} has {len(heads)} heads, {', '.join(heads)}: join them with a revision that follows them all "
                "(alembic merge), or name the revision that is wanted"
            )
        return heads[0]

    def up_to(self, target: str) -> tuple[str, ...]:
        """List the revisions that make up `target`, itself last, in the order in which they run."""
        return self.order(self._with_needs(target))

    def order(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Sort revisions so that each comes after what it needs; the same revisions give the same order."""
        left = set(ids)
        ordered: list[str] = []
        while left:
            ready = sorted(id_ for id_ in left if left.isdisjoint(self.revisions[id_].needs))
            if not ready:
                raise SchemaError(
                    f"{self.name}: {', '.join(sorted(left))} follow each other in a circle: correct a down_revision"
                )
            ordered += ready
            left.difference_update(ready)
        return tuple(ordered)

    def digest(self, ids: Iterable[str]) -> str:
        """Return a digest of the files of these revisions: SHA-256, 16 hexadecimal digits."""
        lines = sorted(f"{id_} {self.revisions[id_].digest}" for id_ in ids)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def _with_needs(self, target: str) -> set[str]:
        found: set[str] = set()
        left = [target]
        while left:
            id_ = left.pop()
            if id_ not in found:
                found.add(id_)
                left += self.revisions[id_].needs
        return found


def history_of(template: str | None, path: str | None) -> tuple[History, Layout]:
    """Read the history of a template or of the folder at `path`, and tell where its parts are.

    :raises SchemaError: it cannot be used
    """
    name = f'template "{template}"' if template is not None else f'"{path}"'
    layout = layout_of(name, template=template, path=path)
    return read_history(name, layout.versions), layout


def read_history(name: str, folders: Iterable[Path]) -> History:
    """Read every revision file of the folders.

    :param name: what messages call the history
    :raises SchemaError: a folder or a file cannot be read, an id is given twice, a revision follows one that is not
        there, or there is no revision at all
    """
    folders = tuple(folders)
    revisions: dict[str, Revision] = {}
    for revision in _read(name, folders):
        if revision.id in revisions:
            first = revisions[revision.id].file
            raise SchemaError(
                f'{name}: {first.name} and {revision.file.name} are both revision "{revision.id}": rename one'
            )
        revisions[revision.id] = revision
    if not revisions:
        where = ", ".join(str(folder) for folder in folders)
        raise SchemaError(f"{name} has no revision: {where} holds no .py file with one")
    for revision in revisions.values():
        for needed in revision.needs:
            if needed not in revisions:
                raise SchemaError(
                    f'{name}: {revision.file.name} follows "{needed}", which is not there: put its file back, or '
                    f"correct down_revision{did_you_mean(needed, revisions)}"
                )
    history = History(name, revisions)
    history.order(revisions)
    return history


def _read(name: str, folders: Iterable[Path]) -> Iterator[Revision]:
    for folder in folders:
        try:
            files = sorted(folder.iterdir())
        except OSError as error:
            reason = error.strerror or error
            raise SchemaError(f"{name}: {folder} cannot be read: {reason}") from None
        for file in files:
            if file.is_file() and _REVISION_FILE.fullmatch(file.name):
                revision = _revision(name, file)
                if revision is not None:
                    yield revision


@lru_cache(maxsize=256)
def _parsed(content: bytes) -> ast.Module:
    return ast.parse(content)


def _revision(name: str, file: Path) -> Revision | None:
    try:
        content = file.read_bytes()
        with _PARSING:
            tree = _parsed(content)
    except OSError as error:
        raise SchemaError(f"{name}: {file} cannot be read: {error.strerror or error}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise SchemaError(f"{name}: {file}:{line} is not Python: correct the file") from None
    fields = {key: _literal(name, file, value) for key, value in _assignments(tree)}
    if "revision" not in fields:
        return None  # a module beside the revisions, which Alembic passes over too
    ids = fields["revision"]
    if len(ids) != 1:
        raise SchemaError(f"{name}: {file}: revision must be one id in quotes")
    return Revision(
        id=ids[0],
        follows=fields.get("down_revision", ()),
        depends_on=fields.get("depends_on", ()),
        file=file,
        digest=hashlib.sha256(content).hexdigest(),
    )


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _FIELDS and node.value:  # type: ignore[attr-defined]  # both have it
                yield target.id, node.value  # type: ignore[attr-defined]  # both have it


def _literal(name: str, file: Path, expression: ast.expr) -> tuple[str, ...]:
    try:
        value = ast.literal_eval(expression)
    except ValueError:
        value = object()
    values = () if value is None else (value,) if isinstance(value, str) else value
    if isinstance(values, tuple | list) and all(isinstance(each, str) for each in values):
        return tuple(values)
    raise SchemaError(
        f"{name}: {file}:{expression.lineno}: must be written out, as an id in quotes, a tuple of them or None"
    )
