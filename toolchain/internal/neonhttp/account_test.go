package neonhttp

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestNoChangeOfAnAccountIsLost(t *testing.T) {
	t.Parallel()
	folder, clock := t.TempDir(), newStopped()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			// As another process would: with a file of its own.
			l := newLedger(folder, "https://neon", "napi_1", clock)
			for range 50 {
				if err := l.change(func(a *account) { a.Next = a.Next.Add(time.Second) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var got time.Time
	_ = newLedger(folder, "https://neon", "napi_1", clock).change(func(a *account) { got = a.Next })
	if want := (time.Time{}).Add(400 * time.Second); !got.Equal(want) {
		t.Errorf("%v and not %v", got, want)
	}
}

func TestAFileThatIsCutShortCountsAsEmpty(t *testing.T) {
	t.Parallel()
	l := newLedger(t.TempDir(), "https://neon", "napi_1", newStopped())
	if err := os.WriteFile(l.path, []byte(`{"next":"2026-11-22T08:00:00Z","held_un`), 0o600); err != nil {
		t.Fatal(err)
	}
	err := l.change(func(a *account) {
		if !a.Next.IsZero() || a.Usual != nil {
			t.Errorf("%+v", a)
		}
		a.Next = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	})
	_ = l.change(func(a *account) {
		if err != nil || a.Next.Hour() != 9 {
			t.Errorf("%v %+v", err, a)
		}
	})
}

func TestAFileOfAKeyThatIsOutOfUseGoes(t *testing.T) {
	t.Parallel()
	folder, clock := t.TempDir(), newStopped()
	at := func(name string, age time.Duration) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, clock.at.Add(-age), clock.at.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old, recent, others := at("account-1.json", 8*24*time.Hour), at("account-2.json", 6*24*time.Hour), at("something", 99*24*time.Hour)
	if err := newLedger(folder, "https://neon", "napi_1", clock).change(func(*account) {}); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{old: false, recent: true, others: true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}
