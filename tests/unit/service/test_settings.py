"""Settings of the service: what is written where, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenantry.service import installed
from tenantry.service.installed import NotInstalledError, check_installed
from tenantry.service.settings import Settings, SettingsError, read

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOG = "postgresql://keeper:hidden@db.example/catalog"
ISSUER = """
[[issuers]]
issuer = "https://id.example"
audience = "tenantry"
jwks_url = "https://id.example/jwks"
"""


def settings(
    folder: Path, text: str = ISSUER, environment: Mapping[str, str] | None = None, **given: object
) -> Settings:
    (folder / "service.toml").write_text(text)
    return read(folder, CATALOG, None, environment or {}, **given)


def wrong(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        settings(folder, text, environment)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


def test_the_command_line_is_above_the_environment_and_that_above_the_file(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        f'bind = "127.0.0.1:1"\nwait = 5\nworkers = 1\none_machine = true\n{ISSUER}',
        {"TENANTRY_SERVICE_WAIT": "7", "TENANTRY_SERVICE_WORKERS": "3"},
        workers=4,
        bind=None,
    )
    assert (found.host, found.port) == ("127.0.0.1", 1)
    assert (found.wait, found.workers, found.one_machine) == (7, 4, True)
    assert found.issuers[0].algorithms == ("RS256", "ES256", "EdDSA")
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("bind", "address"),
    [(":80", ("0.0.0.0", 80)), ("[::1]:9", ("::1", 9)), ("db.example:0", ("db.example", 0))],
)
def test_an_address_is_a_host_and_a_port(
    tmp_path: Path, bind: str, address: tuple[str, int]
) -> None:
    found = settings(tmp_path, bind=bind)
    assert (found.host, found.port) == address


def test_an_issuer_may_be_in_the_environment_alone(tmp_path: Path) -> None:
    secret = "s" * 32
    found = settings(
        tmp_path,
        "",
        {
            "TENANTRY_SERVICE_ISSUER": "https://id.example",
            "TENANTRY_SERVICE_AUDIENCE": "tenantry",
            "TENANTRY_SERVICE_SECRET_FROM": "WORD",
            "WORD": secret,
        },
    )
    assert found.issuers[0].secret == secret.encode()
    assert secret not in repr(found)
    local = settings(tmp_path, "", {"TENANTRY_ISSUER_URL": "http://127.0.0.1:1"})
    assert local.issuers[0].jwks_url == "http://127.0.0.1:1/.well-known/jwks.json"


def test_every_mistake_is_one_line(tmp_path: Path) -> None:
    lines = wrong(
        tmp_path,
        'wait = "soon"\nworkers = 1000\nbind = "here"\none_machine = "perhaps"\nbody_limitt = 1\n'
        '[[issuers]]\nissuer = "a"\naudience = "b"\n[[issuers]]\nissuer = "c"\naudience = "b"\nsecret_from = "NONE"\n'
        '[[issuers]]\nname = "d"\n',
        {"TENANTRY_SERVICE_STOP": "-1"},
    )
    assert lines == [
        'service.toml: bind: "here": write HOST:PORT, with a port of 0 to 65535',
        "service.toml: workers: 1000: write a whole number from 0 to 64",
        'service.toml: wait: "soon": write a whole number from 0 to 600',
        'TENANTRY_SERVICE_STOP: "-1": write a whole number from 0 to 3600',
        'service.toml: one_machine: "perhaps": write true or false',
        'service.toml: body_limitt: is no setting (did you mean "body_limit"?)',
        "service.toml: issuers, number 1: issuer a: it has a key set or a secret, and not both",
        "service.toml: issuers, number 2: secret_from: the variable NONE is not set",
        "service.toml: issuers, number 3: name: is no setting of an issuer",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is none"),
        ("wait = [", "cannot be read"),
        ('issuers = "x"', "no list of tables"),
        (ISSUER * 2, "there twice"),
        ("[[issuers]]\nissuer = 3\n", "are texts"),
    ],
)
def test_issuers_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in wrong(tmp_path, text))


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        read(tmp_path, CATALOG, tmp_path / "other.toml", {})


def test_the_optional_part_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    check_installed()
    monkeypatch.setattr(installed, "PACKAGES", ("fastapi", "no_such_package"))
    with pytest.raises(
        NotInstalledError, match=r"no_such_package.*pip install 'tenantry\[service]'"
    ):
        check_installed()
