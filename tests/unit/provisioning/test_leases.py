from __future__ import annotations

import time

import pytest

from tenantry.provisioning.leases import LeaseOverError, ProcessLease


def test_a_lease_without_a_begin_has_no_end() -> None:
    ProcessLease().check()


@pytest.mark.parametrize("clock", ["monotonic", "time"])
def test_it_is_over_by_either_clock(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = ProcessLease()
    lease.begin(45)
    lease.check()
    later = getattr(time, clock)() + 46
    monkeypatch.setattr(time, clock, lambda: later)
    with pytest.raises(LeaseOverError) as raised:
        lease.check()
    assert raised.value.may_pass
    lease.renew()
    lease.check()
