from __future__ import annotations

import hashlib
import ssl
import stat
from typing import TYPE_CHECKING

import pytest

from localcloud.postgres.certificates import Authority, Certificate, prepare_authority
from localcloud.settings import CA_FILE

if TYPE_CHECKING:
    from pathlib import Path


def shake_hands(authority: Path, certificate: Certificate, host: str) -> bytes:
    """Return the certificate that a client which verifies is shown, in DER."""
    client_context = ssl.create_default_context(cafile=authority)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    shown = client.getpeercert(binary_form=True)
    assert shown
    return shown


@pytest.mark.parametrize("host", ["127.64.0.9", "127.65.3.4", "ep-1.localhost", "localhost"])
def test_a_certificate_is_valid_for_each_of_its_hosts(tmp_path: Path, host: str) -> None:
    certificate = prepare_authority(tmp_path).issue(["127.64.0.9", "127.65.3.4", "ep-1.localhost"])
    shown = shake_hands(tmp_path / CA_FILE, certificate, host)
    assert hashlib.sha256(shown).digest() == certificate.binding


@pytest.mark.parametrize("host", ["127.64.0.10", "ep-2.localhost"])
def test_a_certificate_is_not_valid_for_other_hosts(tmp_path: Path, host: str) -> None:
    certificate = prepare_authority(tmp_path).issue(["127.64.0.9", "ep-1.localhost"])
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path / CA_FILE, certificate, host)


def test_an_authority_is_made_once_and_its_key_is_the_owners(tmp_path: Path) -> None:
    made = prepare_authority(tmp_path)
    assert prepare_authority(tmp_path) == made
    shake_hands(tmp_path / CA_FILE, made.issue(["127.64.0.9"]), "127.64.0.9")
    key = tmp_path / "tls" / "ca.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Authority((tmp_path / CA_FILE).read_bytes(), key.read_bytes()) == made


def test_an_authority_without_its_key_is_replaced(tmp_path: Path) -> None:
    # As an older version left it, or a death between the old folder's end and the new one's name.
    (tmp_path / "tls").mkdir()
    for name in ("ca.pem", "server.pem"):
        (tmp_path / "tls" / name).write_text("of before")
    (tmp_path / "tls.draft").mkdir()
    made = prepare_authority(tmp_path)
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["ca.key", "ca.pem"]
    shake_hands(tmp_path / CA_FILE, made.issue(["127.64.0.9"]), "127.64.0.9")
