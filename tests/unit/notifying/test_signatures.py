import base64

import pytest

from tenantry.notifying.signatures import SecretFormError, SignatureError, secret_of, sign, verify

# The vector of the specification's own libraries ("sign function works").
TEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTITY = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SECRET = secret_of(TEXT, "HOOK")
OTHER = b"x" * 32


def headers(**changed: str) -> dict[str, str]:
    made = {"webhook-id": IDENTITY, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
    return made | {f"webhook-{name}": value for name, value in changed.items()}


def test_a_message_is_signed_as_the_specification_says() -> None:
    assert sign([SECRET], IDENTITY, AT, BODY) == headers()


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_what_is_signed_so_is_taken_within_five_minutes(seconds: int) -> None:
    assert verify([SECRET], headers(), BODY, now=AT + seconds) == IDENTITY


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_time_that_is_further_off_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="clocks"):
        verify([SECRET], headers(), BODY, now=AT + seconds)


@pytest.mark.parametrize("name", ["id", "timestamp", "signature"])
def test_every_header_is_needed(name: str) -> None:
    with pytest.raises(SignatureError, match="all needed"):
        verify([SECRET], headers(**{name: ""}), BODY, now=AT)


@pytest.mark.parametrize(
    "at", ["1614265330.0", "-1", "+1614265330", "١٦١٤٢٦٥٣٣٠", "9" * 5000, " 1"]
)
def test_a_time_in_another_form_is_refused(at: str) -> None:
    with pytest.raises(SignatureError, match="number of seconds"):
        verify([SECRET], headers(timestamp=at), BODY, now=AT)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "msg_other"},
        {"timestamp": str(AT + 1)},
        {"signature": "v1,"},
        {"signature": SIGNATURE.removeprefix("v1,")},
        {"signature": SIGNATURE.replace("v1,", "v1a,")},
        {"signature": "v1,é"},
        {"signature": "v1,AAAA " * 16 + SIGNATURE},
    ],
)
def test_what_was_changed_on_the_way_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(SignatureError, match="no webhook-signature is that of this body"):
        verify([SECRET], headers(**changed), BODY, now=AT)


def test_another_body_or_secret_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify([SECRET], headers(), BODY + b" ", now=AT)
    with pytest.raises(SignatureError):
        verify([OTHER], headers(), BODY, now=AT)
    with pytest.raises(SignatureError):
        verify([], headers(), BODY, now=AT)


def test_two_secrets_hold_while_one_takes_the_place_of_the_other() -> None:
    both = sign([OTHER, SECRET], IDENTITY, AT, BODY)
    assert both["webhook-signature"].split(" ")[1] == SIGNATURE
    for receiver in ([SECRET], [OTHER], [b"y" * 32, OTHER]):
        assert verify(receiver, both, BODY, now=AT) == IDENTITY
    # A signature of a kind that is not known here stands beside one that is.
    assert verify([SECRET], headers(signature=f"v1a,AAAA {SIGNATURE}"), BODY, now=AT) == IDENTITY


def test_an_id_with_a_full_stop_is_not_signed() -> None:
    # "a" at 1 with the body "2.x" would have the signature of "a.1" at 2 with the body "x".
    with pytest.raises(ValueError, match="full stop"):
        sign([SECRET], "a.1", 2, b"x")


def test_a_secret_may_have_the_version_before_it() -> None:
    assert secret_of(f"v1,{TEXT}\n", "HOOK") == SECRET


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.removeprefix("whsec_"),
        "whsec_",
        "whsec_%%%%",
        "whsec_é",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_secret_in_another_form_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretFormError) as caught:
        secret_of(text, "HOOK")
    assert str(caught.value).startswith("HOOK: ")
    assert len(text) < 8 or text.removeprefix("whsec_") not in str(caught.value)
    assert caught.value.__cause__ is None
