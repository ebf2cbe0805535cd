package neonhttp

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// staleAfter is when the file of a key that nobody has asked with is removed.
const staleAfter = 7 * 24 * time.Hour

// account is what all who ask with one API key have in common. Nothing in it is secret.
type account struct {
	// Next is when the next request would be due if they all came evenly spaced.
	Next time.Time `json:"next"`
	// HeldUntil is when requests may leave again: Neon said so.
	HeldUntil time.Time `json:"held_until,omitzero"`
	// Usual is how long operations take, by the actions that one call begins.
	Usual map[string]usual `json:"operations,omitempty"`
	// Scouted says of a kind that is not known yet until when somebody looks how long it takes.
	Scouted map[string]time.Time `json:"scouted_until,omitempty"`
	// Drawn is this machine's part of what all machines share. Nil: nobody has drawn for long, or ever.
	Drawn *drawn `json:"drawn,omitempty"`
	// alone: no other process sees this one.
	alone bool
}

// ledger keeps the account in a file, for all processes of this machine. A process may end at any line: a file that is
// cut short counts as an empty one, and what is lost then is a moment of the budget.
type ledger struct {
	path  string
	clock clock
}

// newLedger names the file after the API and the key, of which it shows only a digest.
func newLedger(folder, baseURL, key string, clock clock) *ledger {
	digest := sha256.Sum256([]byte(baseURL + "\n" + key))
	return &ledger{path: filepath.Join(folder, fmt.Sprintf("account-%x.json", digest[:8])), clock: clock}
}

// unshared has the accounts whose files cannot be used, by path: then this process keeps them by itself.
var unshared = struct {
	sync.Mutex
	accounts map[string]*account
}{accounts: map[string]*account{}}

// change calls do with the account, and keeps what it made of it. shared is nil where other processes see that too.
func (l *ledger) change(do func(*account)) (shared error) {
	if shared = l.changeFile(do); shared == nil {
		return nil
	}
	unshared.Lock()
	defer unshared.Unlock()
	own := unshared.accounts[l.path]
	if own == nil {
		own = &account{alone: true}
		unshared.accounts[l.path] = own
	}
	do(own)
	return shared
}

func (l *ledger) changeFile(do func(*account)) error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	// The lock goes with the file. It is held for as long as the few lines below take.
	defer func() { _ = file.Close() }()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
	before, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	var found account
	if json.Unmarshal(before, &found) != nil {
		found = account{}
	}
	if len(before) == 0 {
		l.removeStale()
	}
	do(&found)
	after, err := json.Marshal(found)
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	if _, err := file.WriteAt(after, 0); err != nil {
		return err
	}
	return file.Truncate(int64(len(after)))
}

// removeStale removes the files of keys that are long out of use. One that stays does no harm.
func (l *ledger) removeStale() {
	all, _ := filepath.Glob(filepath.Join(filepath.Dir(l.path), "account-*.json"))
	for _, each := range all {
		if about, err := os.Stat(each); err == nil && l.clock.now().Sub(about.ModTime()) > staleAfter {
			_ = os.Remove(each)
		}
	}
}
