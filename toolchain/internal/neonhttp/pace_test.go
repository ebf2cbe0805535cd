package neonhttp

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func paceOf(folder string, clock *stopped, settings Settings) *pace {
	return newPace(nil, clock, newLedger(folder, "https://neon", "napi_1", clock), settings)
}

func TestRequestsKeepToTheRate(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		perMinute, share float64
		burst            int
		rest             time.Duration
	}{
		{300, 1, 20, 200 * time.Millisecond}, {300, 0.125, 2, 1600 * time.Millisecond}, {60, 0.01, 1, 100 * time.Second},
	} {
		clock, settings := newStopped(), testSettings(t)
		settings.PerMinute, settings.Share = one.perMinute, one.share
		p := paceOf(t.TempDir(), clock, settings)
		const more = 10
		for range one.burst + more {
			if err := p.wait(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if got := clock.total().Round(time.Millisecond); got != more*one.rest {
			t.Errorf("%v: %d requests in %v", one, one.burst+more, got)
		}
	}
}

func TestTheStandardRateKeepsToNeonsLimits(t *testing.T) {
	t.Parallel()
	settings, err := ReadSettings(from(nil))
	if err != nil {
		t.Fatal(err)
	}
	clock := newStopped()
	// Two processes with the same key, and a pause before a minute in which they want more than they may.
	folder := t.TempDir()
	all := []*pace{paceOf(folder, clock, settings), paceOf(folder, clock, settings)}
	var sent []time.Time
	for i := range 2000 {
		if err := all[i%2].wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, clock.now())
		if i == 700 {
			_ = clock.sleep(context.Background(), 30*time.Second)
		}
	}
	for _, limit := range []struct {
		most   int
		within time.Duration
	}{{700, time.Minute}, {40, time.Second}} {
		for i := range sent {
			if i >= limit.most && sent[i].Sub(sent[i-limit.most]) < limit.within {
				t.Fatalf("more than %d within %v, up to request %d", limit.most, limit.within, i)
			}
		}
	}
	if took := clock.total(); took > 4*time.Minute {
		t.Errorf("2000 requests took %v", took)
	}
}

func TestAKeyHasABudgetOfItsOwn(t *testing.T) {
	t.Parallel()
	clock, settings, folder := newStopped(), testSettings(t), t.TempDir()
	settings.PerMinute, settings.Share = 60, 0.05
	for _, key := range []string{"napi_1", "napi_2"} {
		if err := newPace(nil, clock, newLedger(folder, "https://neon", key, clock), settings).wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if clock.total() != 0 {
		t.Errorf("waited %v", clock.slept)
	}
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(found) != 2 || strings.Contains(strings.Join(found, " "), "napi") {
		t.Errorf("%v %v", err, found)
	}
	for _, each := range found {
		content, err := os.ReadFile(each)
		about, fault := os.Stat(each)
		if err != nil || fault != nil || strings.Contains(string(content), "napi") || about.Mode().Perm() != 0o600 {
			t.Errorf("%v %v %s %v", err, fault, content, about.Mode())
		}
	}
}

func TestA429HoldsAllProcesses(t *testing.T) {
	t.Parallel()
	clock, settings, folder := newStopped(), testSettings(t), t.TempDir()
	settings.PerMinute = 600
	refused, other := paceOf(folder, clock, settings), paceOf(folder, clock, settings)
	refused.hold(8 * time.Second)
	refused.hold(3 * time.Second)
	// Afterwards one by one: the burst that was refused does not come again.
	for _, want := range []time.Duration{8000, 8100, 8200} {
		if err := other.wait(context.Background()); err != nil || clock.total() != want*time.Millisecond {
			t.Errorf("%v after %v, not %v", err, clock.total(), want)
		}
	}
}

func TestAHoldReachesWhoIsWaiting(t *testing.T) {
	t.Parallel()
	clock, settings, folder := newStopped(), testSettings(t), t.TempDir()
	settings.PerMinute, settings.Share = 60, 0.05
	p := paceOf(folder, clock, settings)
	if err := p.wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	held := false
	clock.during = func(time.Duration) {
		if !held {
			held = true
			paceOf(folder, clock, settings).hold(50 * time.Second)
		}
	}
	// Its turn would have come after 20 seconds.
	if err := p.wait(context.Background()); err != nil || clock.total() != 50*time.Second {
		t.Errorf("%v after %v", err, clock.total())
	}
}

func TestAClockThatWasSetBackStopsNobody(t *testing.T) {
	t.Parallel()
	clock, settings, folder := newStopped(), testSettings(t), t.TempDir()
	p := paceOf(folder, clock, settings)
	p.hold(time.Minute)
	clock.at = clock.at.Add(-48 * time.Hour)
	if err := p.wait(context.Background()); err != nil || clock.total() != 0 {
		t.Errorf("%v after %v", err, clock.total())
	}
}

func TestWhoCannotShareKeepsToAnEighthAndSaysSo(t *testing.T) {
	t.Parallel()
	clock, settings := newStopped(), testSettings(t)
	settings.PerMinute = 600
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	ctx := context.WithValue(context.Background(), runKey{}, Run{Warn: func(text string) { warnings = append(warnings, text) }})
	// Two clients of one process.
	all := []*pace{paceOf(notAFolder, clock, settings), paceOf(notAFolder, clock, settings)}
	for i := range 2 + 10 {
		if err := all[i%2].wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := clock.total().Round(time.Millisecond); got != 8*time.Second {
		t.Errorf("12 requests in %v", got)
	}
	if len(warnings) != 2 || !strings.Contains(warnings[0], "not a directory") || !strings.Contains(warnings[0], "keeps to 75 a minute") {
		t.Errorf("said %v", warnings)
	}
}

func TestAllAttemptsCountAgainstTheRate(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	settings.PerMinute, settings.Share = 60, 0.05
	c.trouble("GET /projects/p-1", trouble{status: 500}, trouble{status: 500})
	c.inside["/projects/p-1"] = object{}
	if _, err := send(t, c.client(settings), Run{}, "GET", "/projects/p-1", ""); err != nil || c.clock.total() < 39*time.Second {
		t.Errorf("%v after %v", err, c.clock.total())
	}
}

func TestWhoIsCancelledInTheQueueSendsNothing(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.client(settings).For(ctx, Run{}).Do(request(t, "DELETE", PublicURL+"/projects/p-1", "")); err == nil || len(c.asked) != 0 {
		t.Errorf("%v %v", err, c.asked)
	}
}
