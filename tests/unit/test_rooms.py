"""The direction of the arrows between rooms: what `docs/architecture.md` says, also for imports within functions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]

# From top to bottom: a room imports only those behind it.
ROOMS: Final = (
    *(
        "__main__",
        "reference",
        "cli",
        "commands",
        "presenting",
        "ci",
        "pages",
        "service",
        "working",
        "observing",
        "fleet",
        "applying",
        "notifying",
    ),
    *("adoption", "recovery", "planning", "usage", "states", "neon", "aura"),
    *("selfservice", "catalog"),
    *("running", "budgets", "engine", "repository", "registry", "schemas", "provisioning"),
    *("tracing", "surroundings", "clouds", "errors", "hiding", "retries", "urls"),
)
# The rooms that may begin a run, which needs the program.
BEGIN_RUNS: Final = {"running", "fleet"}


def imports(folder: str) -> Iterator[tuple[Path, str]]:
    """Yield each file of a package, from the root, with each module that it imports, wherever in the file that is."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: names its own package relatively"
                assert node.module
                found = [node.module]
                if node.module in {"tenantry", "components", "providers"}:
                    found = [f"{node.module}.{each.name}" for each in node.names]
            for module in found:
                yield file.relative_to(ROOT), module


def room_of(file: Path) -> str:
    return file.parts[1].removesuffix(".py")


def arrows() -> set[tuple[str, str, Path]]:
    """From which room to which other one, and the file that says so."""
    found = {
        (room_of(file), module.split(".")[1], file)
        for file, module in imports("tenantry")
        if module.startswith("tenantry.")
    }
    # The version is the package's own.
    return {each for each in found if each[0] != each[1] and each[1] != "__version__"}


def test_every_room_has_its_place() -> None:
    rooms = {
        each.stem
        for each in (ROOT / "tenantry").iterdir()
        if each.suffix == ".py" or (each / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(ROOMS)


def test_no_room_imports_one_above_it() -> None:
    upwards = {
        f"{file}: {target} is above {source}"
        for source, target, file in arrows()
        if ROOMS.index(target) < ROOMS.index(source)
    }
    assert upwards == set()


def test_only_what_begins_runs_knows_of_pulumi_and_the_program() -> None:
    programs = {"components", "providers", "pulumi", "pulumi_neon", "pulumi_random"}
    found = {
        str(file)
        for file, module in imports("tenantry")
        if module.split(".")[0] in programs and room_of(file) not in BEGIN_RUNS
    }
    assert found == set()


def test_components_import_providers_and_never_the_other_way() -> None:
    assert "components" not in {module.split(".")[0] for _, module in imports("providers")}


def test_the_product_imports_no_local_cloud_and_no_test() -> None:
    found = {
        f"{file}: {module}"
        for folder in ("tenantry", "components", "providers")
        for file, module in imports(folder)
        if re.match(r"(localcloud|tests|bench)(\.|$)", module)
    }
    assert found == set()
