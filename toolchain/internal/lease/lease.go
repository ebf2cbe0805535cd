// Package lease ends a process that may work only until a moment which somebody else prolongs.
//
// A worker of the service has a lease on what it does. When it dies or is held up, another one goes on after the lease, also
// on another machine, from where nobody can see whether this process lives. So this process must have ended by then by itself.
package lease

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Exit is the exit code of a process whose lease was over.
const Exit = 75

// every is how often it is looked.
const every = 250 * time.Millisecond

// Lease is one lease. The zero value has no end.
type Lease struct {
	length time.Duration
	last   atomic.Pointer[time.Time]
}

// Begin makes a lease that lasts so long unless it is renewed.
//
// It counts from the moment at which this process was started, which whoever started it tells: a process that is stopped while
// it starts must not have a whole lease before it when it goes on.
func (l *Lease) Begin(length time.Duration, began time.Time) {
	l.length = length
	l.last.Store(&began)
}

// Renew prolongs it from now on.
func (l *Lease) Renew() {
	now := time.Now()
	l.last.Store(&now)
}

// Over says whether it is over. Two clocks are asked: the one that only runs forward stands still while the machine sleeps,
// and the other one can be set.
func (l *Lease) Over(now time.Time) bool {
	last := l.last.Load()
	if last == nil {
		return false
	}
	return now.Sub(*last) > l.length || now.Round(0).Sub(last.Round(0)) > l.length
}

// Own is this process's lease.
var Own Lease

// Check ends the process at once where its lease is over. It stands before each request that changes something: a process that
// was stopped and goes on may be in the middle of one before anything else has run.
func Check() {
	if Own.Over(time.Now()) {
		fmt.Fprintln(os.Stderr, "error: the lease is over: another worker may be at work on this by now")
		os.Exit(Exit)
	}
}

// Watch ends the process as soon as its lease is over.
func Watch() {
	go func() {
		for range time.Tick(every) {
			Check()
		}
	}()
}
