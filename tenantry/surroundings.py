"""The environment of a program that is started from here: what it needs, and nothing that changes what it does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tenantry.clouds import table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping

CATALOG: Final = "TENANTRY_CATALOG_URL"
"""The URL of the catalog's database."""
CLOUDS: Final = (
    *(name for cloud in table.CLOUDS for name in cloud.secrets),
    CATALOG,
    # The URL of another backend, for `tenantry fleet copy-states` alone.
    "TENANTRY_STATES_TO",
)
"""What a run needs, and nothing that only reads a stack."""
STATE: Final = (
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
    # `postgres://` has a password in it.
    "PULUMI_BACKEND_URL",
)
"""What it takes to read a stack and to decrypt it."""

# libpq (PostgreSQL manual, "Environment Variables"), lib/pq and psycopg read these where a connection leaves it open.
_LIBPQ: Final = re.compile(r"PG[A-Z_]+")
_PYTHON: Final = re.compile(r"PYTHON(?!UTF8$|UNBUFFERED$|DONTWRITEBYTECODE$)[A-Z0-9_]*")
# `git rev-parse --local-env-vars`: another repository than the one that a path names.
_GIT: Final = re.compile(
    r"GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|"
    r"GRAFT_FILE|SHALLOW_FILE|REPLACE_REF_BASE|NO_REPLACE_OBJECTS|IMPLICIT_WORK_TREE|INTERNAL_SUPER_PREFIX|CONFIG\w*)"
)
_LOCALE: Final = re.compile(r"LANG|LANGUAGE|LC_[A-Z]+")
# Of Pulumi's, those that say where it works and as whom (docs/real-clouds.md). Any other changes how it works.
_PULUMI: Final = re.compile(
    r"PULUMI_(?!(?:ACCESS_TOKEN|API|BACKEND_URL|CONFIG_PASSPHRASE|CONFIG_PASSPHRASE_FILE|CREDENTIALS_PATH|CREDENTIAL_STORE|"
    r"DEBUG_COMMANDS|DEBUG_GRPC|DEFAULT_ORGANIZATION|DISABLE_AUTOMATIC_PLUGIN_ACQUISITION|DIY_BACKEND_\w+|"
    r"FALLBACK_TO_STATE_SECRETS_MANAGER|HOME|IGNORE_AMBIENT_PLUGINS|PLUGIN_DOWNLOAD_URL_OVERRIDES|PYTHON_CMD|RUN_PROGRAM|"
    r"SELF_MANAGED_STATE_\w+|SKIP_UPDATE_CHECK|STACK|TRACING_NO_PAYLOADS)$)\w*"
)
_FOREIGN: Final = (_LIBPQ, _PYTHON, _GIT, _LOCALE, _PULUMI)
_LOOPBACK: Final = ("localhost", ".localhost", "127.0.0.0/8", "127.0.0.1", "::1")


def without_secrets(
    environment: Mapping[str, str], *, keep: Collection[str] = ()
) -> dict[str, str]:
    """Return the environment for a program that is not to know what it does not need.

    :param keep: the names of those that it does need
    """
    withheld = {name for name in (*CLOUDS, *STATE) if name not in keep}
    return {name: value for name, value in environment.items() if name not in withheld}


def without_foreign(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would change what a program does.

    Variables of libpq, Python, git, the locale and most of Pulumi's are left out. Loopback never goes through a proxy.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not any(pattern.fullmatch(name) for pattern in _FOREIGN)
    }
    direct = _direct(environment)
    # gRPC reads its own variable first, and cannot read a list with spaces.
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": direct,
        "no_proxy": direct,
        "no_grpc_proxy": direct,
    }


def bare(environment: Mapping[str, str], *, keep: Collection[str] = ()) -> dict[str, str]:
    """Return the environment for a program that needs neither secrets nor what would change how it works.

    :param keep: as for `without_secrets`
    """
    return without_foreign(without_secrets(environment, keep=keep))


def drop_libpq(environment: MutableMapping[str, str]) -> None:
    """Take the variables of libpq out of an environment: of a process that is ours alone."""
    for name in [name for name in environment if _LIBPQ.fullmatch(name)]:
        del environment[name]


def direct_mounts() -> dict[str, None]:
    """Return what keeps an httpx client from going to loopback through a proxy. Others go as the environment says."""
    hosts = ("localhost", "*.localhost", "127.0.0.1", "[::1]")
    return {f"all://{host}": None for host in hosts}


def _direct(environment: Mapping[str, str]) -> str:
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [each.strip() for each in said.split(",") if each.strip()]
    return ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))
