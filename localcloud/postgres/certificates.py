"""The data folder's certificate authority, and the certificates that it gives to the front for its hosts."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from localcloud.settings import CA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_KEY = "ca.key"
# Node's `pg` asks for this name wherever the host is an address: it hands only names on to the TLS library.
_NAME_FOR_ADDRESSES = "localhost"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a listener shows: its TLS settings, and what clients bind their login to.

    ``binding`` is the certificate's SHA-256, as ``tls-server-end-point`` wants it for one that is signed with SHA-256
    (RFC 5929, section 4.1). ``asked`` is the name that each client asked for, if it did (SNI, RFC 6066, section 3).
    """

    context: ssl.SSLContext
    binding: bytes
    asked: MutableMapping[object, str]


@dataclass(frozen=True, slots=True)
class Authority:
    """Lives as long as the data folder. Certificates live as long as the process: nobody keeps them."""

    certificate: bytes
    key: bytes

    def issue(self, hosts: Iterable[str]) -> Certificate:
        """Return a certificate for these names and addresses (some 3 ms, the first one 100 ms)."""
        import trustme

        authority = trustme.CA.from_pem(self.certificate, self.key)
        issued = authority.issue_cert(*hosts, _NAME_FOR_ADDRESSES, common_name="localcloud")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        # Asked for by clients with sslnegotiation=direct (PostgreSQL 17, "Protocol Flow").
        context.set_alpn_protocols(["postgresql"])
        asked: WeakKeyDictionary[object, str] = WeakKeyDictionary()

        def note(connection: object, name: str | None, _context: ssl.SSLContext) -> None:
            if name is not None:
                asked[connection] = name

        context.sni_callback = note
        encoded = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
        return Certificate(context, hashlib.sha256(encoded).digest(), asked)


def prepare_authority(data: Path) -> Authority:
    """Return a data folder's authority, made on first use (0.1 s).

    A folder of an older version kept no key to sign with, so its authority is replaced.
    """
    certificate = data / CA_FILE
    key = certificate.with_name(_KEY)
    if not key.exists():
        _make(certificate.parent)
    return Authority(certificate.read_bytes(), key.read_bytes())


def _make(folder: Path) -> None:
    import trustme

    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    authority = trustme.CA(organization_name="localcloud")
    authority.cert_pem.write_to_path(str(draft / Path(CA_FILE).name))
    with os.fdopen(os.open(draft / _KEY, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(authority.private_key_pem.bytes())
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
