"""Issuers of tokens: their keys, and the key sets that they serve."""

import json
import ssl
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ISSUER = "https://id.example.com/"
AUDIENCE = "tenantry"
TLS = ssl.create_default_context()
"""For each client of the tests: to make one takes longer than a test."""
_MAKERS: Any = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class SigningKey:
    """A key of an issuer."""

    kid: str | None
    algorithm: str = "ES256"
    private: Any = None

    def __post_init__(self) -> None:
        self.private = self.private or _MAKERS[self.algorithm]()

    def jwk(self, **changed: Any) -> dict[str, Any]:
        """The public half, as a member of a key set; None takes a member away."""
        of_algorithm: Any = get_default_algorithms()[self.algorithm]
        found = of_algorithm.to_jwk(self.private.public_key(), as_dict=True)
        found |= {"kid": self.kid, "use": "sig", "alg": self.algorithm} | changed
        return {name: value for name, value in found.items() if value is not None}

    def token(self, headers: dict[str, Any] | None = None, /, **changed: Any) -> str:
        """Sign a token; None takes a claim or a header away."""
        return signed(self.private, self.algorithm, {"kid": self.kid} | (headers or {}), **changed)


def signed(key: Any, algorithm: str, headers: dict[str, Any], /, **changed: Any) -> str:
    """Sign a token. None takes a claim or a header away; a `timedelta` is a time that far from now."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "exp": timedelta(minutes=5),
        "tenant": "acme",
        "scope": "apps:read apps:write openid",
    } | changed
    now = int(time.time())
    claims = {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
        if value is not None
    }
    headers = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers)


@dataclass
class KeyServer:
    """An ASGI application that serves a key set, as it is told to, and counts how often it was asked."""

    body: bytes = b'{"keys": []}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def serve(self, *keys: dict[str, Any]) -> None:
        self.status, self.body = 200, json.dumps({"keys": keys}).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert Request(scope).method == "GET"
        self.asked += 1
        await Response(self.body, self.status, self.headers)(scope, receive, send)


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
