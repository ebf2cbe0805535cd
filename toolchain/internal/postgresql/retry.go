package postgresql

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/lib/pq"
)

// patienceVariable holds for how many seconds a server may be away before an operation fails; 0 tries once.
const patienceVariable = "POSTGRES_RETRY_SECONDS"

const (
	defaultPatience = 120 * time.Second
	firstPause      = 200 * time.Millisecond
	longestPause    = 5 * time.Second
)

// patience says for how long operations are tried again. All operations of one provider share it: a server that was
// away for that long is asked once by each later one, so that a run does not wait for each of its resources in turn.
type patience struct {
	limit   time.Duration
	stopped <-chan struct{}

	lock  sync.Mutex
	since time.Time // since when nothing but transient failures; zero after a success
}

// newPatience reads the limit from the environment.
func newPatience(stopped <-chan struct{}) (*patience, error) {
	text := os.Getenv(patienceVariable)
	if text == "" {
		return &patience{limit: defaultPatience, stopped: stopped}, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > 86400 {
		return nil, fmt.Errorf("%s: %q is no number of seconds from 0 to 86400", patienceVariable, text)
	}
	return &patience{limit: time.Duration(seconds * float64(time.Second)), stopped: stopped}, nil
}

// persist does what is safe to do twice until it succeeds, fails for a reason that stays, or the patience is over.
func (p *patience) persist(passes func(error) bool, do func() error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := do()
		if err == nil || !passes(err) {
			p.reset()
			return err
		}
		// From half of the pause to all of it: what failed together is not tried again together.
		wait := pause/2 + rand.N(pause/2)
		if p.left() < wait {
			return &exhaustedError{err, p.limit}
		}
		select {
		case <-p.stopped:
			return err
		case <-time.After(wait):
		}
	}
}

func (p *patience) reset() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.since = time.Time{}
}

// left begins the time of patience where it has not begun.
func (p *patience) left() time.Duration {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.since.IsZero() {
		p.since = time.Now()
	}
	return p.limit - time.Since(p.since)
}

// exhaustedError is a transient failure that stayed.
type exhaustedError struct {
	error
	limit time.Duration
}

func (e *exhaustedError) Error() string {
	return fmt.Sprintf("%s; tried again for %s (%s): see whether the server runs and is reached from here, then run again",
		e.error, e.limit, patienceVariable)
}

func (e *exhaustedError) Unwrap() error { return e.error }

// transientCodes are failures that may be gone in the next attempt (PostgreSQL, appendix A).
var transientCodes = map[pq.ErrorCode]bool{
	"08000": true, // connection_exception
	"08001": true, // sqlclient_unable_to_establish_sqlconnection
	"08003": true, // connection_does_not_exist
	"08006": true, // connection_failure
	"53300": true, // too_many_connections
	"57P01": true, // admin_shutdown
	"57P02": true, // crash_shutdown
	"57P03": true, // cannot_connect_now
	"57P05": true, // idle_session_timeout
	"25P03": true, // idle_in_transaction_session_timeout
	"40001": true, // serialization_failure
	"40P01": true, // deadlock_detected
	"55006": true, // object_in_use: a template that somebody is connected to
	"55P03": true, // lock_not_available
}

// duplicateCodes are failures of a create that looked first: somebody else made the same in between. It may be a
// statement of a run that was killed, which the server still carries out.
var duplicateCodes = map[pq.ErrorCode]bool{
	"23505": true, // unique_violation, of a catalog's index
	"42710": true, // duplicate_object
	"42P04": true, // duplicate_database
	"42P06": true, // duplicate_schema
}

// transientWords are failures without a code of their own: of a concurrent change of one catalog row, and of Neon,
// whose proxy wakes a compute and whose server tells the control plane of a role at COMMIT
// (https://neon.com/docs/connect/connection-errors).
var transientWords = regexp.MustCompile(`(?i)tuple concurrently (updated|deleted)` +
	`|couldn't connect to compute node|(console|control plane) request failed|failed to acquire permit` +
	`|too many database connection attempts|query_wait_timeout` +
	`|received http code (423|429|5\d\d) from control plane`)

// transient says whether the same operation may succeed a moment later.
func transient(err error) bool {
	var said *pq.Error
	if errors.As(err, &said) {
		return transientCodes[said.Code] || transientWords.MatchString(said.Message)
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return !name.IsNotFound
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// racing says the same of a create.
func racing(err error) bool {
	return transient(err) || duplicateCodes[codeOf(err)]
}

// codeOf is the SQLSTATE of an error, "" where the server did not word it.
func codeOf(err error) pq.ErrorCode {
	var said *pq.Error
	if !errors.As(err, &said) {
		return ""
	}
	return said.Code
}
