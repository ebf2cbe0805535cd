import re
import tomllib
from pathlib import Path

import pytest

from tenantry.engine import pins

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("part", "system", "machine", "archive"),
    [
        (pins.CLI, "Linux", "x86_64", f"pulumi-v{pins.PULUMI}-linux-x64.tar.gz"),
        (pins.CLI, "Darwin", "arm64", f"pulumi-v{pins.PULUMI}-darwin-arm64.tar.gz"),
        (
            pins.RANDOM_PLUGIN,
            "Linux",
            "aarch64",
            f"pulumi-resource-random-v{pins.RANDOM}-linux-arm64.tar.gz",
        ),
        (
            pins.POSTGRESQL_PLUGIN,
            "Linux",
            "x86_64",
            f"pulumi-resource-postgresql-v{pins.POSTGRESQL}-linux-amd64.tar.gz",
        ),
        (pins.CLI, "Linux", "riscv64", None),
        (pins.CLI, "SunOS", "x86_64", None),
    ],
)
def test_archives_are_named_for_the_platform(
    part: pins.Part, system: str, machine: str, archive: str | None
) -> None:
    assert part.release is not None
    assert part.release.archive_for(system, machine) == archive


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_versions_are_those_of_the_python_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, version in {
        "pulumi-random": pins.RANDOM,
        "pulumi-postgresql": pins.POSTGRESQL,
    }.items():
        assert f"{package}=={version}" in project["dependencies"]
    (sdk,) = (each for each in project["dependencies"] if each.startswith("pulumi=="))
    assert numbers(sdk.removeprefix("pulumi==")) >= numbers(pins.PULUMI) >= pins.PULUMI_MINIMUM
    assert numbers(sdk.removeprefix("pulumi=="))[0] == numbers(pins.PULUMI)[0]


def test_versions_are_those_of_the_go_modules() -> None:
    module = (ROOT / "toolchain" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pins.PULUMI}\n" in module
    assert f"github.com/kislerdm/terraform-provider-neon v{pins.NEON}\n" in module
    host = (ROOT / "toolchain" / "language-python" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/sdk/v3 v{pins.LANGUAGE_HOST}\n" in host
    for package, version in {
        "random": pins.RANDOM,
        "postgresql": pins.POSTGRESQL,
        "neon": pins.NEON,
    }.items():
        text = "".join(
            file.read_text() for file in (ROOT / "toolchain" / "internal" / package).glob("*.go")
        )
        assert re.search(rf'\bVersion\s+= "{re.escape(version)}"', text)


def test_the_neon_plugin_has_no_official_download() -> None:
    assert pins.NEON_PLUGIN.release is None
