from __future__ import annotations

from localcloud.aura.tokens import Standing, Tokens


def test_a_token_is_good_until_its_end() -> None:
    tokens = Tokens("key", 10)
    token = tokens.issue(1000.25)
    assert tokens.judge(token, 1010.24) is Standing.GOOD
    assert tokens.judge(token, 1010.25) is Standing.EXPIRED


def test_a_token_that_was_changed_or_sealed_with_another_key_is_unknown() -> None:
    tokens = Tokens("key", 10)
    token = tokens.issue(1000)
    later = token.replace("1010000", "9910000")
    assert later != token
    for other in (later, token[:-1], token + "=", "", ".", "é.x.y"):
        assert tokens.judge(other, 1000) is Standing.UNKNOWN
    assert Tokens("other", 10).judge(token, 1000) is Standing.UNKNOWN
