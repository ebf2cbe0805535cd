package neonhttp

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

func TestOneNameIsMadeByOneAtATime(t *testing.T) {
	t.Parallel()
	store := &intents{folder: t.TempDir(), clock: newStopped()}
	first, err := store.hold(context.Background(), "a", "o", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.hold(context.Background(), "a", "o", time.Minute); err == nil || !strings.Contains(err.Error(), `project "a": another process`) {
		t.Errorf("%v", err)
	}
	for _, other := range [][2]string{{"b", "o"}, {"a", "p"}} {
		held, err := store.hold(context.Background(), other[0], other[1], 0)
		if err != nil {
			t.Fatalf("%v: %v", other, err)
		}
		held.settled()
	}
	first.settled()
	second, err := store.hold(context.Background(), "a", "o", 0)
	if err != nil || !second.before.IsZero() {
		t.Fatalf("%v", err)
	}
	second.kept()
	if left, _ := os.ReadDir(store.folder); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestALockThatIsWaitedForIsGot(t *testing.T) {
	t.Parallel()
	clock := newStopped()
	store := &intents{folder: t.TempDir(), clock: clock}
	first, err := store.hold(context.Background(), "a", "o", 0)
	if err != nil {
		t.Fatal(err)
	}
	clock.during = func(time.Duration) { first.settled() }
	second, err := store.hold(context.Background(), "a", "o", time.Minute)
	if err != nil || len(clock.slept) != 1 {
		t.Fatalf("%v %v", err, clock.slept)
	}
	second.settled()
}

func TestAnIntentThatWasCutShortCountsByItsAge(t *testing.T) {
	t.Parallel()
	store := &intents{folder: t.TempDir(), clock: newStopped()}
	first, err := store.hold(context.Background(), "a", "o", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.file.WriteString(`{"name":"a","wri`); err != nil {
		t.Fatal(err)
	}
	first.sent = true
	first.kept()
	second, err := store.hold(context.Background(), "a", "o", 0)
	if err != nil || time.Since(second.before) > time.Minute {
		t.Errorf("%v %v", err, second.before)
	}
	second.settled()
}

func TestAFolderThatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store := &intents{folder: file + "/x", clock: newStopped()}
	if _, err := store.hold(context.Background(), "a", "o", 0); err == nil || !strings.Contains(err.Error(), "NEON_STATE_FOLDER") {
		t.Errorf("%v", err)
	}
}
