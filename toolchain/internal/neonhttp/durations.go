package neonhttp

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// first are the times that operations take on Neon, for the first of their kind; others take a second or less.
var first = map[string]time.Duration{
	"create_timeline": 3100 * time.Millisecond,
	"start_compute":   4800 * time.Millisecond,
	"apply_config":    1500 * time.Millisecond,
}

const (
	firstOther = time.Second
	// shortestPause between two looks.
	shortestPause = 50 * time.Millisecond
	// weight of the newest among all durations of a kind.
	weight = 0.25
	// listening is how often whoever leaves early looks to a scout sees whether that one has learnt something.
	listening = time.Second
)

// usual is how long the operations of one kind of call take: a mean and the mean deviation from it, in seconds. Newer
// ones weigh more.
type usual struct {
	Mean      float64 `json:"mean_seconds"`
	Deviation float64 `json:"deviation_seconds"`
}

// with returns the duration with one more in it. What is twice as quick as ever, or twice as slow, begins anew.
func (u usual) with(took time.Duration) usual {
	seconds := max(took.Seconds(), shortestPause.Seconds())
	if u.Mean == 0 || seconds < u.Mean/2 || seconds > u.Mean*2 {
		return usual{Mean: seconds, Deviation: seconds / 20}
	}
	off := seconds - u.Mean
	return usual{Mean: u.Mean + weight*off, Deviation: u.Deviation + weight*(max(off, -off)-u.Deviation)}
}

// end is when most of them have ended.
func (u usual) end() time.Duration {
	return time.Duration((u.Mean + u.Deviation) * float64(time.Second))
}

// expectation is when operations should have ended, counted from the call.
type expectation struct {
	end time.Duration
	// learnt: others of the kind have ended before.
	learnt bool
	// scouted: somebody else looks whether the kind ends sooner.
	scouted bool
}

// pause returns when it is time for the next look. Of many calls that wait for an unknown kind one looks early, the
// scout, and the others listen for what it learns.
func (w *waiting) pause(ctx context.Context, kind string, raw []json.RawMessage, began time.Time, scout *bool) error {
	for listened := time.Duration(0); ; listened += listening {
		e := w.expected(kind, raw, scout)
		waited := w.clock.now().Sub(began)
		if listened == 0 && (!e.scouted || waited >= e.end) {
			return w.clock.sleep(ctx, min(e.pause(waited), w.settings.Poll))
		}
		left := min(e.end-waited, w.settings.Poll-listened)
		if left <= listening {
			return w.clock.sleep(ctx, left)
		}
		if err := w.clock.sleep(ctx, listening); err != nil {
			return err
		}
	}
}

// pause returns how long after so much waiting the next look comes. Of a known kind the first look comes when the
// operations should have ended. Of an unknown one looks come at 1/8, 1/4, 1/2 and the whole of Neon's usual time,
// as the API may be quicker. Later ones come after an eighth of it, and then after as much again as it is late.
func (e expectation) pause(waited time.Duration) time.Duration {
	next := e.end
	switch {
	case waited >= e.end:
		next = waited + max(e.end/8, waited-e.end)
	case !e.learnt:
		for next = e.end / 8; next <= waited; next *= 2 {
		}
	}
	return max(next-waited, shortestPause)
}

// expected says when these operations should have ended, by what was learnt until now: also by others while this one
// waited.
func (w *waiting) expected(kind string, raw []json.RawMessage, scout *bool) expectation {
	e := expectation{end: onNeon(raw)}
	_ = w.ledger.change(func(a *account) {
		if known := a.Usual[kind]; known.Mean > 0 {
			e = expectation{end: known.end(), learnt: true}
			delete(a.Scouted, kind)
			return
		}
		now := w.clock.now()
		if until := a.Scouted[kind]; !*scout && (now.After(until) || until.Sub(now) > e.end) {
			*scout = true
			if a.Scouted == nil {
				a.Scouted = map[string]time.Time{}
			}
			a.Scouted[kind] = now.Add(e.end)
		}
		e.scouted = !*scout
	})
	return e
}

// onNeon is when operations should have ended by the times that Neon is known to take.
func onNeon(raw []json.RawMessage) time.Duration {
	var sum time.Duration
	for _, each := range raw {
		var o operation
		_ = json.Unmarshal(each, &o)
		took, ok := first[o.Action]
		if !ok {
			took = firstOther
		}
		sum += took
	}
	return usual{}.with(sum).end()
}

// learn keeps how long operations took that have ended, by Neon's own times. They run one after the other.
func (w *waiting) learn(kind string, raw []json.RawMessage) {
	var begin, end time.Time
	for _, each := range raw {
		var o operation
		_ = json.Unmarshal(each, &o)
		created, err := time.Parse(time.RFC3339, o.CreatedAt)
		updated, fault := time.Parse(time.RFC3339, o.UpdatedAt)
		if err != nil || fault != nil {
			return
		}
		if begin.IsZero() || created.Before(begin) {
			begin = created
		}
		end = latest(end, updated)
	}
	_ = w.ledger.change(func(a *account) {
		if a.Usual == nil {
			a.Usual = map[string]usual{}
		}
		a.Usual[kind] = a.Usual[kind].with(end.Sub(begin))
	})
}

// actions names the kind of what a call has begun, such as "create_timeline start_compute".
func actions(raw []json.RawMessage) string {
	names := make([]string, len(raw))
	for i, each := range raw {
		var o operation
		_ = json.Unmarshal(each, &o)
		names[i] = o.Action
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
