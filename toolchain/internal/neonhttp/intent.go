package neonhttp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const lockPause = 100 * time.Millisecond

// note is what an intent's file says: which project is about to be asked for, by whom, and when a request left last.
// Nothing in it is secret. Others may read it; the form is documented in docs/neon.md.
type note struct {
	Name         string    `json:"name"`
	Organization string    `json:"organization"`
	PID          int       `json:"pid"`
	Host         string    `json:"host"`
	WrittenAt    time.Time `json:"written_at"`
}

// intents is the folder of the projects that are being created, one small file for each name.
type intents struct {
	folder string
	clock  clock
}

// intent is the file of one name, locked by this process. The lock ends with the process, however that ends; the file
// stays then, and tells the next one that a create may still land.
type intent struct {
	file  *os.File
	path  string
	clock clock
	note  note
	// before is when the last request of an earlier process left; zero where there is none to reckon with.
	before time.Time
	sent   bool
}

// hold locks the name, against other processes and against other calls of this one. It waits up to patience.
func (s *intents) hold(ctx context.Context, name, organization string, patience time.Duration) (*intent, error) {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return nil, stateError(s.folder, err)
	}
	digest := sha256.Sum256([]byte(organization + "\n" + name))
	path := filepath.Join(s.folder, fmt.Sprintf("project-%x.json", digest[:8]))
	for end := s.clock.now().Add(patience); ; {
		file, err := tryLock(path)
		if err != nil {
			return nil, stateError(path, err)
		}
		if file != nil {
			host, _ := os.Hostname()
			i := &intent{file: file, path: path, clock: s.clock, note: note{
				Name: name, Organization: organization, PID: os.Getpid(), Host: host,
			}}
			if i.before, err = left(file); err != nil {
				_ = file.Close()
				return nil, stateError(path, err)
			}
			return i, nil
		}
		if s.clock.now().After(end) {
			return nil, fmt.Errorf("project %q: another process has been creating it for %s (%s): wait for that one or end it, then tenantry up",
				name, patience, path)
		}
		if err := s.clock.sleep(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

// tryLock returns the file, locked; nil where another has it.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	// Who held it may have removed it meanwhile: then this is the lock of a file that nobody will find.
	ours, err := file.Stat()
	if err == nil {
		if there, missing := os.Stat(path); missing != nil || !os.SameFile(ours, there) {
			_ = file.Close()
			return nil, nil
		}
		return file, nil
	}
	_ = file.Close()
	return nil, err
}

// left reads when the last request of an earlier process left. A file that was cut short counts by its own age.
func left(file *os.File) (time.Time, error) {
	content, err := io.ReadAll(file)
	if err != nil || len(content) == 0 {
		return time.Time{}, err
	}
	var found note
	if json.Unmarshal(content, &found) == nil && !found.WrittenAt.IsZero() {
		return found.WrittenAt, nil
	}
	about, err := file.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return about.ModTime(), nil
}

// write notes that a request leaves now, or may be under way until now.
func (i *intent) write() error {
	i.sent = true
	i.note.WrittenAt = i.clock.now().UTC()
	content, err := json.Marshal(i.note)
	if err != nil {
		return err
	}
	// Never empty in between: a process that dies here still leaves its mark.
	if _, err := i.file.WriteAt(content, 0); err != nil {
		return stateError(i.path, err)
	}
	if err := i.file.Truncate(int64(len(content))); err != nil {
		return stateError(i.path, err)
	}
	if err := i.file.Sync(); err != nil {
		return stateError(i.path, err)
	}
	return nil
}

// settled ends the intent: no request for this name is under way any more.
func (i *intent) settled() {
	// The lock goes last, so that nobody gets it for a file that is about to vanish. A file that cannot be removed costs
	// the next create a grace.
	_ = os.Remove(i.path)
	_ = i.file.Close()
}

// kept lets go of the lock, and leaves the mark for the next create, where there is one.
func (i *intent) kept() {
	if !i.sent && i.before.IsZero() {
		i.settled()
		return
	}
	_ = i.file.Close()
}

func stateError(path string, err error) error {
	var known *os.PathError
	if errors.As(err, &known) {
		err = known.Err
	}
	return fmt.Errorf("%s: %w: set %s to a folder that can be written", path, err, folderVariable)
}
