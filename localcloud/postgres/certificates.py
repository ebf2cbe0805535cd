"""The front's certificate, signed by an authority that lives and dies with the data folder."""

from __future__ import annotations

import os
import shutil
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_AUTHORITY = "ca.pem"
_SERVER = "server.pem"


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the TLS settings of the front, making the certificate on first use (0.2 s).

    Clients that verify (``sslmode=verify-ca``) take the authority from ``ca.pem`` in the same folder.
    """
    if not folder.exists():
        _issue(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / _SERVER)
    # Asked for by clients with sslnegotiation=direct (PostgreSQL 17, "Protocol Flow").
    context.set_alpn_protocols(["postgresql"])
    return context


def _issue(folder: Path) -> None:
    import trustme

    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    authority = trustme.CA(organization_name="localcloud")
    certificate = authority.issue_cert("localhost", "127.0.0.1", common_name="localcloud")
    authority.cert_pem.write_to_path(str(draft / _AUTHORITY))
    with os.fdopen(os.open(draft / _SERVER, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(certificate.private_key_and_cert_chain_pem.bytes())
    draft.rename(folder)
