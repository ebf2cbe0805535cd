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
	one.Begin(time.Minute)
	now := time.Now()
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
	one.Renew()
	if one.Over(time.Now().Add(59 * time.Second)) {
		t.Error("a renewal does not prolong it")
	}
}
