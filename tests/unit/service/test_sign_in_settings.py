"""Where people sign in, as the settings' file says it."""

from pathlib import Path

import pytest

from tenantry.service.settings import SettingsError, read

ISSUER = '[[issuers]]\nissuer = "https://id.example"\naudience = "tenantry"\njwks_url = "https://id.example/keys"\n'
GOOD = {
    "issuer": "https://id.example",
    "client_id": "page",
    "url": "https://tenantry.example/",
    "client_secret_from": "PAGE_SECRET",
}
SECRET = {"PAGE_SECRET": "a secret of the client"}


def written(folder: Path, values: dict[str, str]) -> None:
    lines = [f'{name} = "{value}"' for name, value in values.items()]
    (folder / "service.toml").write_text("\n".join([ISSUER, "[sign_in]", *lines, ""]))


def test_a_provider_is_read_and_its_secret_is_of_the_environment(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    found = read(tmp_path, "postgresql://x", None, SECRET).sign_in
    assert found is not None
    assert (found.url, found.name, found.scope) == (
        "https://tenantry.example",
        "id.example",
        "openid",
    )
    assert SECRET["PAGE_SECRET"] not in repr(found)
    (tmp_path / "service.toml").write_text(ISSUER)
    assert read(tmp_path, "postgresql://x", None, {}).sign_in is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "https://other.example"}, "none of [[issuers]]"),
        ({"client_id": ""}, "client_id: is missing"),
        ({"url": "http://tenantry.example"}, "url: write"),
        ({"url": "https://tenantry.example/page"}, "url: write"),
        ({"scope": "profile"}, "openid is among"),
        ({"client_secret_from": "NOTHING"}, "NOTHING is not set"),
        ({"client_idd": "x"}, 'did you mean "client_id"'),
    ],
)
def test_what_nobody_could_sign_in_with_is_refused(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    written(tmp_path, GOOD | change)
    with pytest.raises(SettingsError, match="sign_in") as caught:
        read(tmp_path, "postgresql://x", None, SECRET)
    assert said in str(caught.value)
