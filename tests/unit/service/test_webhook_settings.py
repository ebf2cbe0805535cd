import pytest

from tenantry.notifying.signatures import SecretFormError
from tenantry.service.webhook_settings import WebhookSettings, WebhookSettingsError

SIGNING = "v1,whsec_" + "c2VjcmV0" * 4


def test_without_a_secret_the_webhook_is_off() -> None:
    assert not WebhookSettings.read({}).on


def test_two_secrets_hold_at_once() -> None:
    found = WebhookSettings.read(
        {
            "TENANTRY_WEBHOOK_SECRETS": f"{'n' * 32} {'o' * 32}",
            "TENANTRY_WEBHOOK_SIGNING_SECRETS": SIGNING,
        }
    )
    assert found.on
    assert found.secrets == (b"n" * 32, b"o" * 32)
    assert found.signing == (b"secret" * 4,)
    assert "nnn" not in repr(found)


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ("short-canary", "TENANTRY_WEBHOOK_SECRETS: a secret is shorter than 32 characters"),
        (
            " ".join("abc"[each] * 32 for each in range(3)),
            "it holds 3 secrets, and two are the most",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_and_not_shown(secrets: str, said: str) -> None:
    with pytest.raises(WebhookSettingsError, match=said) as refused:
        WebhookSettings.read({"TENANTRY_WEBHOOK_SECRETS": secrets})
    assert secrets.split(maxsplit=1)[0] not in str(refused.value)


def test_a_signing_secret_has_its_form() -> None:
    with pytest.raises(SecretFormError, match="TENANTRY_WEBHOOK_SIGNING_SECRETS"):
        WebhookSettings.read({"TENANTRY_WEBHOOK_SIGNING_SECRETS": "n" * 40})
