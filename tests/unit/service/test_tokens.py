"""What is and what is not accepted as a token: RFC 8725's list, and what else can be put into one."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.service.tokens import Caller, Issuer, TokenError, Tokens, TokenSettingsError
from tests.unit.service.support import AUDIENCE, ISSUER, TLS, KeyServer, SigningKey, signed

KEY = SigningKey("one", "RS256")
SECRET = b"s" * 32


def issuer(url: str, **changed: Any) -> Issuer:
    return Issuer(**{"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": url} | changed)


def with_secret(**changed: Any) -> Issuer:
    return issuer("", secret=SECRET, algorithms=("HS256",), **changed)


def verified(text: str, *issuers: Issuer) -> Caller:
    async def scene() -> Caller:
        async with httpx.AsyncClient(verify=TLS) as client:
            return await Tokens(issuers, client).verify(text)

    return asyncio.run(scene())


def refused(text: str, *issuers: Issuer) -> str:
    with pytest.raises(TokenError) as caught:
        verified(text, *issuers)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def assembled(header: dict[str, Any], claims: Any, secret: bytes | None = None) -> str:
    """Put a token together by hand, as the library would not."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in (header, claims)
    ]
    text = b".".join(parts)
    mac = hmac.digest(secret, text, hashlib.sha256) if secret else b""
    return f"{text.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": int(time.time()) + 30_000}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_token_says_who_asks(key_server: KeyServer, keys_url: str, algorithm: str) -> None:
    key = SigningKey("k", algorithm)
    key_server.serve(KEY.jwk(), key.jwk())
    assert verified(key.token(), issuer(keys_url)) == Caller(
        "ann", ISSUER, "acme", frozenset({"apps:read", "apps:write"}), "token"
    )


def test_a_secret_does_as_well_where_the_settings_say_so() -> None:
    assert verified(signed(SECRET, "HS256", {}), with_secret()).subject == "ann"
    assert refused(signed(b"x" * 32, "HS256", {}), with_secret()) == "its signature is wrong"


def test_each_issuer_signs_for_itself_alone(key_server: KeyServer, keys_url: str) -> None:
    key_server.serve(KEY.jwk())
    both = (issuer(keys_url), with_secret(issuer="internal"))
    assert verified(KEY.token(), *both).issuer == ISSUER
    assert verified(signed(SECRET, "HS256", {}, iss="internal"), *both).issuer == "internal"
    assert refused(KEY.token(iss="internal"), *both) == "its algorithm is not one of its issuer"
    assert "algorithm" in refused(signed(SECRET, "HS256", {}), *both)


@pytest.mark.parametrize("alg", ["none", "None", "", None, ["RS256"], 7])
def test_a_token_without_a_signature_is_none(
    key_server: KeyServer, keys_url: str, alg: object
) -> None:
    key_server.serve(KEY.jwk())
    text = assembled({"alg": alg, "typ": "JWT", "kid": "one"}, CLAIMS)
    reason = refused(text, issuer(keys_url))
    assert reason in {
        "its algorithm is not one of its issuer",
        "it has not the form of a token",
    }
    assert refused(text, with_secret())


def test_a_public_key_is_no_secret(key_server: KeyServer, keys_url: str) -> None:
    from cryptography.hazmat.primitives import serialization as form

    public = KEY.private.public_key()
    pem = public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    key_server.serve(KEY.jwk())
    for secret in (pem, pem.strip(), json.dumps(KEY.jwk()).encode()):
        text = assembled({"alg": "HS256", "typ": "JWT", "kid": "one"}, CLAIMS, secret)
        assert refused(text, issuer(keys_url)) == "its algorithm is not one of its issuer"


def test_a_key_in_the_token_is_not_used(key_server: KeyServer, keys_url: str) -> None:
    own = SigningKey("own", "RS256")
    key_server.serve(KEY.jwk())
    for header in ({"jwk": own.jwk()}, {"jku": "https://evil.example.com"}, {"x5u": "https://e"}):
        text = own.token(header | {"kid": "one"})
        assert refused(text, issuer(keys_url)) == "its signature is wrong"


def test_an_algorithm_of_the_key_and_not_of_the_settings_is_refused(
    key_server: KeyServer, keys_url: str
) -> None:
    curve = SigningKey("curve", "ES256")
    key_server.serve(KEY.jwk(), curve.jwk())
    only = issuer(keys_url, algorithms=("RS256",))
    assert verified(KEY.token(), only)
    assert refused(curve.token(), only) == "its algorithm is not one of its issuer"
    # The key is there, and is another algorithm's.
    assert refused(curve.token({"kid": "one"}), issuer(keys_url)) == "its issuer has no such key"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://other.example.com/"}, "its issuer is not one of ours"),
        ({"iss": ISSUER.rstrip("/")}, "its issuer is not one of ours"),
        ({"iss": None}, "its issuer is not one of ours"),
        ({"aud": "another"}, "it is for another audience"),
        ({"aud": ["another", "and-one"]}, "it is for another audience"),
        ({"aud": None}, "it has no aud"),
        ({"exp": timedelta(seconds=-40)}, "it has expired"),
        ({"exp": None}, "it has no exp"),
        ({"exp": "soon"}, "it is not valid"),
        ({"exp": float("inf")}, "it is not valid"),
        ({"nbf": timedelta(seconds=90)}, "it is not valid yet"),
        ({"iat": timedelta(seconds=90)}, "it is not valid yet"),
        ({"sub": None}, "it has no sub"),
        ({"sub": ""}, "its subject is not of 1 to 255 printable characters"),
        ({"sub": "a\nb"}, "its subject is not of 1 to 255 printable characters"),
        ({"sub": "a" * 256}, "its subject is not of 1 to 255 printable characters"),
        ({"tenant": "Acme/../other"}, "its tenant is no name of a tenant"),
        ({"tenant": ["acme"]}, "its tenant is no name of a tenant"),
    ],
)
def test_a_claim_that_is_wrong_is_said(
    key_server: KeyServer, keys_url: str, changed: dict[str, Any], reason: str
) -> None:
    key_server.serve(KEY.jwk())
    assert refused(KEY.token(**changed), issuer(keys_url)) == reason


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": timedelta(seconds=-10)},
        {"nbf": timedelta(seconds=10)},
        {"nbf": timedelta(seconds=-10), "iat": timedelta(0)},
        {"aud": ["another", AUDIENCE]},
    ],
)
def test_clocks_may_be_half_a_minute_apart(
    key_server: KeyServer, keys_url: str, changed: dict[str, Any]
) -> None:
    key_server.serve(KEY.jwk())
    assert verified(KEY.token(**changed), issuer(keys_url)).subject == "ann"


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("JWT", True),
        ("at+jwt", True),
        ("application/at+jwt", True),
        ("AT+JWT", True),
        (None, True),
        ("id_token", False),
        ("dpop+jwt", False),
        ("logout+jwt", False),
        (7, False),
    ],
)
def test_what_is_no_access_token_is_refused(
    key_server: KeyServer, keys_url: str, kind: object, *, good: bool
) -> None:
    key_server.serve(KEY.jwk())
    header = {"alg": "RS256", "kid": "one"} | ({} if kind is None else {"typ": kind})
    if good:
        assert verified(KEY.token({"typ": kind}), issuer(keys_url))
    else:
        assert refused(assembled(header, CLAIMS), issuer(keys_url)) == "it is not an access token"


def test_an_extension_is_refused_known_or_not() -> None:
    header = {"alg": "HS256"}
    extended: list[dict[str, Any]] = [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
    ]
    assert verified(assembled(header, CLAIMS, SECRET), with_secret()).subject == "eve"
    # The library knows b64, and true is what holds without it.
    for more in extended:
        reason = refused(assembled(header | more, CLAIMS, SECRET), with_secret())
        assert reason in {
            "it asks for an extension that is not known here",
            "it has not the form of a token",
        }


def test_a_changed_token_is_refused(key_server: KeyServer, keys_url: str) -> None:
    key_server.serve(KEY.jwk())
    head, body, signature = KEY.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    more = base64.urlsafe_b64encode(json.dumps(claims | {"scope": "fleet:admin"}).encode())
    other = f"{head}.{more.rstrip(b'=').decode()}.{signature}"
    assert refused(other, issuer(keys_url)) == "its signature is wrong"
    assert refused(f"{head}.{body}.", issuer(keys_url)) == "its signature is wrong"


_TEXTS = st.one_of(
    st.text(max_size=60),
    st.builds(
        ".".join,
        st.lists(
            st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
            min_size=3,
            max_size=3,
        ),
    ),
    st.builds(
        assembled,
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), st.none() | st.text()
        ),
        st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5)
        | st.fixed_dictionaries({"iss": st.sampled_from([ISSUER, "x"])}),
    ),
)


@given(_TEXTS)
def test_whatever_is_sent_is_refused_in_words(text: str) -> None:
    reason = refused(text, with_secret())
    # RFC 6750, section 3: what a header can carry.
    assert all(" " <= character <= "~" and character not in '"\\' for character in reason)


@pytest.mark.parametrize("depth", [900, 950, 990, 4000])
def test_a_deep_token_is_refused(depth: int) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    deep = b'{"iss":"' + ISSUER.encode() + b'","a":' + b"[" * depth + b"]" * depth + b"}"
    body = base64.urlsafe_b64encode(deep).rstrip(b"=").decode()
    assert refused(f"{header}.{body}.AAAA", with_secret())


def test_a_long_token_is_refused_unread() -> None:
    assert refused("a" * 20_000, with_secret()) == "it is too long"


@pytest.mark.parametrize(
    ("path", "claims", "tenant"),
    [
        ("tenant", {}, "acme"),
        ("org", {}, None),
        ("app_metadata.tenant", {"app_metadata": {"tenant": "globex"}}, "globex"),
        ("app_metadata.tenant", {"app_metadata": ["globex"]}, None),
        ("https://example.com/tenant", {"https://example.com/tenant": "globex"}, "globex"),
    ],
)
def test_the_tenant_is_where_the_settings_say(
    path: str, claims: dict[str, Any], tenant: str | None
) -> None:
    caller = verified(signed(SECRET, "HS256", {}, **claims), with_secret(tenant_claim=path))
    assert caller.tenant == tenant


@pytest.mark.parametrize(
    ("given_scopes", "scopes"),
    [
        ("apps:read  apps:secrets", {"apps:read", "apps:secrets"}),
        (["apps:delete", "other", 7, None], {"apps:delete"}),
        ("apps:read,apps:write", set()),
        ("APPS:READ", set()),
        ({"apps:read": True}, set()),
        (None, set()),
    ],
)
def test_scopes_are_a_text_or_a_list(given_scopes: object, scopes: set[str]) -> None:
    text = signed(SECRET, "HS256", {}, scope=None, permissions=given_scopes)
    assert verified(text, with_secret(scope_claim="permissions")).scopes == scopes


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"jwks_url": ""}, "a key set or a secret"),
        ({"secret": SECRET}, "a key set or a secret"),
        ({"jwks_url": "", "secret": SECRET}, "HS256 alone"),
        ({"jwks_url": "", "secret": SECRET, "algorithms": ("HS256", "RS256")}, "HS256 alone"),
        ({"jwks_url": "", "secret": SECRET[1:], "algorithms": ("HS256",)}, "shorter than 32 bytes"),
        ({"algorithms": ()}, "are of RS256, ES256, EdDSA"),
        ({"algorithms": ("RS256", "HS256")}, "are of RS256, ES256, EdDSA"),
        ({"algorithms": ("none",)}, "are of RS256, ES256, EdDSA"),
        ({"jwks_url": "http://id.example.com/"}, "https URL"),
        ({"audience": ""}, "an audience"),
        ({"issuer": ""}, "an issuer"),
    ],
)
def test_settings_that_are_not_safe_are_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenSettingsError, match=reason) as caught:
        issuer(
            **{"url": "https://id.example.com/jwks"}
            | {"url" if name == "jwks_url" else name: value for name, value in changed.items()}
        )
    assert "sss" not in str(caught.value)
    assert "sss" not in repr(with_secret())


def test_an_issuer_is_there_once() -> None:
    with pytest.raises(TokenSettingsError, match="twice"):
        Tokens([with_secret(), with_secret()], httpx.AsyncClient(verify=TLS))
