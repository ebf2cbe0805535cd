import pytest

from tenantry.urls import is_safe


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example.com/jwks.json", True),
        ("http://127.0.0.1:8080/jwks.json", True),
        ("http://[::1]/jwks.json", True),
        ("http://localhost/jwks.json", True),
        ("http://id.example.com/jwks.json", False),
        ("http://localhost.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("https://user:pass@id.example.com/", False),
        ("https://id.example.com/#a", False),
        ("https://", False),
        ("https://id.example.com:x/", False),
        ("ftp://localhost/", False),
        ("file:///etc/passwd", False),
        ("https://id.example.com/\n", False),
        ("", False),
    ],
)
def test_what_is_said_to_a_url_stays_between_both(url: str, *, safe: bool) -> None:
    assert is_safe(url) is safe
