package postgresql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

func TestWhichFailuresPass(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		err             error
		passes, isRaced bool
	}{
		"server stops":       {&pq.Error{Code: "57P01"}, true, true},
		"server starts":      {&pq.Error{Code: "57P03"}, true, true},
		"no connection free": {&pq.Error{Code: "53300"}, true, true},
		"connection failure": {&pq.Error{Code: "08006"}, true, true},
		"connection refused": {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true, true},
		"session ended":      {fmt.Errorf("reading: %w", driver.ErrBadConn), true, true},
		"answer cut":         {io.ErrUnexpectedEOF, true, true},
		"name unanswered":    {&net.DNSError{IsTimeout: true}, true, true},
		"one catalog row":    {&pq.Error{Code: "XX000", Message: "tuple concurrently updated"}, true, true},
		"compute asleep":     {&pq.Error{Code: "XX000", Message: "Couldn't connect to compute node"}, true, true},
		"control plane busy": {&pq.Error{Code: "XX000", Message: "Received HTTP code 423 from control plane: …"}, true, true},
		"made meanwhile":     {&pq.Error{Code: "42710"}, false, true},
		"index of catalog":   {&pq.Error{Code: "23505"}, false, true},
		"no such name":       {&net.DNSError{IsNotFound: true}, false, false},
		"wrong password":     {&pq.Error{Code: "28P01"}, false, false},
		"refused for good":   {&pq.Error{Code: "08004"}, false, false},
		"control plane's no": {&pq.Error{Code: "XX000", Message: "Received HTTP code 400 from control plane: …"}, false, false},
		"no right":           {&pq.Error{Code: "42501"}, false, false},
		"our own":            {errors.New("its owner is a, not b"), false, false},
	} {
		if transient(c.err) != c.passes || racing(c.err) != c.isRaced {
			t.Errorf("%s: transient %t, racing %t", text, transient(c.err), racing(c.err))
		}
	}
}

func TestPatienceEndsAndIsSharedByLaterOperations(t *testing.T) {
	t.Parallel()
	p := &patience{limit: 700 * time.Millisecond}
	attempts := 0
	away := func() error { attempts++; return driver.ErrBadConn }
	err := p.persist(transient, away)
	if attempts < 2 || err == nil || !strings.Contains(err.Error(), patienceVariable) || !errors.Is(err, driver.ErrBadConn) {
		t.Fatalf("%d attempts: %v", attempts, err)
	}
	time.Sleep(p.limit)
	attempts = 0
	if err := p.persist(transient, away); err == nil || attempts != 1 {
		t.Errorf("the next operation was tried %d times: %v", attempts, err)
	}
	if err := p.persist(transient, func() error { return nil }); err != nil {
		t.Error(err)
	}
	attempts = 0
	if err := p.persist(transient, away); err == nil || attempts < 2 {
		t.Errorf("after a success the patience is new, tried %d times", attempts)
	}
}

func TestAFailureThatStaysIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	attempts := 0
	err := (&patience{limit: time.Hour}).persist(transient, func() error { attempts++; return &pq.Error{Code: "42501"} })
	if attempts != 1 || codeOf(err) != insufficientPrivilege {
		t.Errorf("%d attempts: %v", attempts, err)
	}
}

func TestACancelledRunDoesNotWaitForTheServer(t *testing.T) {
	t.Parallel()
	stopped := make(chan struct{})
	close(stopped)
	attempts := 0
	if err := (&patience{limit: time.Hour, stopped: stopped}).persist(transient, func() error { attempts++; return io.EOF }); err == nil || attempts != 1 {
		t.Errorf("%d attempts: %v", attempts, err)
	}
}

func TestPatienceIsAnEnvironmentVariableInSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{"": defaultPatience, "0": 0, "1.5": 1500 * time.Millisecond} {
		t.Setenv(patienceVariable, text)
		if p, err := newPatience(nil); err != nil || p.limit != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"2m", "-1", "1e9"} {
		t.Setenv(patienceVariable, text)
		if _, err := newPatience(nil); err == nil || !strings.Contains(err.Error(), patienceVariable) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
