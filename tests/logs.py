"""What a test's own part has logged: a fixture's end sees its own phase alone in `caplog.text`."""

import logging

import pytest


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return the lines of the test's body, with the tracebacks that a handler would have added."""
    lines = logging.Formatter()
    records = caplog.get_records("call")
    # A server of the test's stands for somebody else's, and logs which paths it was asked for.
    return "\n".join(lines.format(each) for each in records if each.name != "uvicorn.access")
