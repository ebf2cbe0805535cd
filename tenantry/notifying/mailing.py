"""One mail by SMTP (RFC 5321), encrypted unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.hiding import hidden
from tenantry.notifying.failures import BusyReceiverError, RefusedError
from tenantry.urls import on_this_machine

if TYPE_CHECKING:
    from tenantry.notifying.notification import Notification
    from tenantry.registry.notices import Mail

SECONDS: Final = 10.0
"""How long each answer of the server may take."""
IMPLICIT_TLS: Final = 465
"""The port on which a server speaks TLS from the start (RFC 8314); on others STARTTLS is asked for."""
_PERMANENT: Final = 500


def message_of(notification: Notification, mail: Mail) -> EmailMessage:
    """Return the mail: plain text, one for all its receivers, with an id that stays when it is sent again."""
    message = EmailMessage()
    message["Subject"] = f"Tenantry: {notification.title}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = format_datetime(notification.at)
    domain = parseaddr(mail.sender)[1].rpartition("@")[2]
    message["Message-ID"] = f"<{notification.identity}@{domain}>"
    # RFC 3834: nobody's absence is answered to it.
    message["Auto-Submitted"] = "auto-generated"
    about = f"\n\nOperation {notification.operation}" if notification.operation else ""
    message.set_content(f"{notification.title}.\n\n{notification.shown}{about}\n")
    return message


def send(notification: Notification, mail: Mail, password: str) -> None:
    """Send it once, and wait for that: some 10 s an answer, where the server is slow.

    :param password: of `mail.user`; empty without one
    :raises BusyReceiverError: the server is not reached, or says that this passes (4xx)
    :raises RefusedError: it refuses, has no encryption, or does not take one of the addresses
    """
    try:
        refused = _send(message_of(notification, mail), mail, password)
    except smtplib.SMTPRecipientsRefused as error:
        raise _by_code(
            max(code for code, _ in error.recipients.values()), "to every address"
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        # What it says may quote the command that it got, and with it the password in base64.
        raise _by_code(error.smtp_code, "to user and password") from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise _by_code(error.smtp_code, hidden(text.split("\n")[0], password)) from None
    except smtplib.SMTPNotSupportedError as error:
        raise RefusedError(str(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise RefusedError(f"its certificate is not good: {error.verify_message}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise BusyReceiverError(hidden(str(error), password) or type(error).__name__) from None
    if refused:
        raise RefusedError(f"{counted(len(refused), 'address')} of {len(mail.to)} refused")


def _send(message: EmailMessage, mail: Mail, password: str) -> dict[str, tuple[int, bytes]]:
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if mail.port == IMPLICIT_TLS:
        server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
    with server:
        if mail.port != IMPLICIT_TLS:
            server.ehlo()
            if server.has_extn("starttls") or not on_this_machine(mail.host):
                # Where the server has none, this says so: nothing is sent in clear.
                server.starttls(context=context)
        if mail.user:
            server.login(mail.user, password)
        return server.send_message(message)


def _by_code(code: int, text: str) -> RefusedError | BusyReceiverError:
    reason = f"it answers {code} {text}"
    return RefusedError(reason) if code >= _PERMANENT else BusyReceiverError(reason)
