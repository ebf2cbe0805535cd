// Package abandoned ends a plugin whose engine was killed.
//
// A killed engine tells its plugins nothing. Upstream they ask after it every five minutes; until then they stay, with what they
// hold, beside the run that goes on after the failure.
package abandoned

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Watch calls end once nobody reads this process's standard output any more: the engine holds the other end for as long as it
// lives.
func Watch(end func()) {
	go func() {
		if gone(unix.Stdout) {
			end()
		}
	}()
}

// Gracefully ends this process as the engine itself does: its server stops at this signal, and what it is doing at that moment it
// does to the end.
func Gracefully() {
	_ = unix.Kill(os.Getpid(), unix.SIGINT)
}

// gone waits until the other end of a pipe is closed. It never returns for what is no pipe.
func gone(descriptor int) bool {
	for {
		// No event is asked for: an error of the pipe is told in any case.
		found, err := unix.Poll([]unix.PollFd{{Fd: int32(descriptor)}}, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && found > 0
	}
}
