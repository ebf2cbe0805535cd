package lease

import (
	"testing"
	"time"
)

func TestALeaseIsOverByEitherClockAndNotBefore(t *testing.T) {
	var one Lease
	if one.Over(time.Now().Add(time.Hour)) {
		t.Error("a process without a lease was ended")
	}
	now := time.Now()
	one.Begin(time.Minute, now)
	if one.Over(now.Add(59 * time.Second)) {
		t.Error("it is over too early")
	}
	if !one.Over(now.Add(61 * time.Second)) {
		t.Error("it is not over")
	}
	// As after a sleep of the machine: only the wall clock went on.
	if !one.Over(now.Add(61 * time.Second).Round(0)) {
		t.Error("it is not over by the wall clock")
	}
	// As of a process that was stopped while it started.
	one.Begin(time.Minute, time.Unix(now.Unix()-61, 0))
	if !one.Over(time.Now()) {
		t.Error("a late start prolongs it")
	}
	one.Renew()
	if one.Over(time.Now().Add(59 * time.Second)) {
		t.Error("a renewal does not prolong it")
	}
}
