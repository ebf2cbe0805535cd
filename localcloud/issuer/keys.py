"""The key that signs: RSA of 2048 bits, made once for a data folder, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from pathlib import Path

FILE = "issuer.key"
ALGORITHM = "RS256"
_BITS = 2048


def signing_key(data: Path) -> rsa.RSAPrivateKey:
    """Return the data folder's key, made on first use (0.1 s).

    Raises OSError, and ValueError for a file that is no key.
    """
    file = data / FILE
    if not file.exists():
        _make(file)
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{file}: is no RSA key; remove it, and there is another")  # noqa: TRY004 (a wrong file)
    return key


def key_id(key: rsa.RSAPrivateKey) -> str:
    """Return the key's name: another key has another."""
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(public).hexdigest()[:16]


def key_set(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Return the public half as a JSON Web Key Set (RFC 7517)."""
    member = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"keys": [member | {"kid": key_id(key), "use": "sig", "alg": ALGORITHM}]}


def _make(file: Path) -> None:
    content = rsa.generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Whole before it has its name. Of two at once the first wins, and both read its text.
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
    with suppress(FileExistsError):
        file.hardlink_to(draft)
    draft.unlink()
