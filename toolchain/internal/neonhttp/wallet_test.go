package neonhttp

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// drawer changes what is drawn as a command does.
func drawer(t *testing.T, p *pace, do func(*drawn)) {
	t.Helper()
	if err := p.ledger.change(func(a *account) {
		if a.Drawn == nil {
			a.Drawn = &drawn{}
		}
		do(a.Drawn)
	}); err != nil {
		t.Fatal(err)
	}
}

func drawnOf(p *pace) (found drawn) {
	_ = p.ledger.change(func(a *account) { found = *a.Drawn })
	return found
}

func TestWhileSomebodyDrawsEachRequestTakesAToken(t *testing.T) {
	t.Parallel()
	clock, settings, folder := newStopped(), testSettings(t), t.TempDir()
	// Its own rate would let one request through in ten minutes.
	settings.PerMinute, settings.Share = 1, 0.1
	p, other := paceOf(folder, clock, settings), paceOf(folder, clock, settings)
	drawer(t, p, func(d *drawn) { d.Until, d.Tokens, d.Good = clock.at.Add(time.Minute), 2, clock.at.Add(time.Second) })
	for _, each := range []*pace{p, other} {
		if err := each.wait(context.Background()); err != nil || clock.total() != 0 {
			t.Fatalf("%v after %v", err, clock.total())
		}
	}
	// The third waits, and is seen to wait.
	clock.during = func(time.Duration) {
		if clock.total() == 50*time.Millisecond {
			if found := drawnOf(p); found.Wanted != 1 || found.Tokens != 0 {
				t.Errorf("%+v", found)
			}
			drawer(t, p, func(d *drawn) { d.Tokens, d.Good = 1, clock.now().Add(time.Second) })
		}
	}
	if err := p.wait(context.Background()); err != nil || clock.total() != 60*time.Millisecond {
		t.Errorf("%v after %v", err, clock.total())
	}
	if found := drawnOf(p); found.Wanted != 0 || found.Tokens != 0 {
		t.Errorf("%+v", found)
	}
}

func TestATokenThatIsTooOldIsNotSpent(t *testing.T) {
	t.Parallel()
	clock, folder := newStopped(), t.TempDir()
	p := paceOf(folder, clock, testSettings(t))
	drawer(t, p, func(d *drawn) { d.Until, d.Tokens, d.Good = clock.at.Add(time.Minute), 2, clock.at })
	ctx, cancel := context.WithCancel(context.Background())
	clock.during = func(time.Duration) { cancel() }
	if err := p.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// Who gives up is not waited for.
	if found := drawnOf(p); found.Tokens != 2 || found.Wanted != 0 {
		t.Errorf("%+v", found)
	}
}

func TestAMachineThatHasDrawnKeepsToAnEighthWhenNobodyDraws(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		said string
		cut  bool
		ago  time.Duration
		rest time.Duration
	}{
		{"the command has ended", false, time.Minute, 800 * time.Millisecond},
		{"the catalog is not reached", true, -time.Minute, 800 * time.Millisecond},
		{"it was long ago", false, 2 * time.Hour, 100 * time.Millisecond},
	} {
		clock, settings := newStopped(), testSettings(t)
		settings.PerMinute = 600
		p := paceOf(t.TempDir(), clock, settings)
		drawer(t, p, func(d *drawn) { d.Until, d.Cut = clock.at.Add(-one.ago), one.cut })
		var warnings []string
		ctx := context.WithValue(context.Background(), runKey{}, Run{Warn: func(text string) { warnings = append(warnings, text) }})
		for range fullBurst + 5 {
			if err := p.wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
		burst := fullBurst
		if one.rest > 100*time.Millisecond {
			burst /= 8
		}
		if want := time.Duration(fullBurst+5-burst) * one.rest; clock.total().Round(time.Millisecond) != want {
			t.Errorf("%s: %v and not %v", one.said, clock.total(), want)
		}
		if told := strings.Join(warnings, ";"); (told != "") != one.cut || strings.Count(told, "keeps to 75 a minute") != len(warnings) {
			t.Errorf("%s: %v", one.said, warnings)
		}
	}
}

func TestWhoWaitsGoesOnWhenTheDrawingEnds(t *testing.T) {
	t.Parallel()
	clock := newStopped()
	p := paceOf(t.TempDir(), clock, testSettings(t))
	drawer(t, p, func(d *drawn) { d.Until = clock.at.Add(8 * time.Second) })
	if err := p.wait(context.Background()); err != nil || clock.total() != 8*time.Second {
		t.Errorf("%v after %v", err, clock.total())
	}
}

func TestAHoldEmptiesTheWallet(t *testing.T) {
	t.Parallel()
	clock := newStopped()
	p := paceOf(t.TempDir(), clock, testSettings(t))
	drawer(t, p, func(d *drawn) { d.Until, d.Tokens, d.Good = clock.at.Add(time.Minute), 5, clock.at.Add(time.Minute) })
	p.hold(3 * time.Second)
	clock.during = func(time.Duration) {
		drawer(t, p, func(d *drawn) { d.Tokens = 1 })
	}
	// A token that comes during the hold is not spent before its end.
	if err := p.wait(context.Background()); err != nil || clock.total() != 3*time.Second {
		t.Errorf("%v after %v", err, clock.total())
	}
}

func TestManyThatWaitTakeEachTokenOnce(t *testing.T) {
	t.Parallel()
	folder, settings := t.TempDir(), testSettings(t)
	const processes, each = 4, 25
	p := newPace(nil, realClock{}, newLedger(folder, "https://neon", "napi_1", realClock{}), settings)
	drawer(t, p, func(d *drawn) { d.Until = time.Now().Add(time.Minute) })
	var all sync.WaitGroup
	var sent atomic.Int32
	for range processes {
		// As each stack has one.
		one := newPace(nil, realClock{}, newLedger(folder, "https://neon", "napi_1", realClock{}), settings)
		for range each {
			all.Go(func() {
				if err := one.wait(context.Background()); err != nil {
					t.Error(err)
				}
				sent.Add(1)
			})
		}
	}
	given, ended := 0, make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for {
		select {
		case <-ended:
			if found := drawnOf(p); given != processes*each || found.Wanted != 0 {
				t.Errorf("%d tokens, %+v", given, found)
			}
			return
		case <-time.After(time.Millisecond):
			drawer(t, p, func(d *drawn) {
				if d.Tokens == 0 && d.Wanted > 0 {
					d.Tokens, d.Good = min(d.Wanted, 7), time.Now().Add(time.Second)
					given += d.Tokens
				}
			})
			if int(sent.Load()) > given {
				t.Fatalf("%d requests with %d tokens", sent.Load(), given)
			}
		}
	}
}
