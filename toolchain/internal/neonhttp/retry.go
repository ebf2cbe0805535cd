package neonhttp

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
	// longestWish caps Retry-After: a mistaken one must not stop a run for an hour.
	longestWish = time.Minute
)

// retry sends a call again where that is safe: after 423, 429 and 503, which Neon documents as "nothing was done", and
// where nothing had left; a read also after any other 5xx, a lost connection and an answer that is cut short.
type retry struct {
	next     sender
	clock    clock
	settings Settings
	// hold keeps back all who ask with the key.
	hold func(time.Duration)
	// random gives a number in [0, 1), by which processes that were refused together come back apart.
	random func() float64
}

func newRetry(next *pace, clock clock, settings Settings) *retry {
	return &retry{next: next, clock: clock, settings: settings, hold: next.hold, random: rand.Float64}
}

func (r *retry) send(ctx context.Context, c call) (answer, error) {
	t := r.begin()
	for {
		a, err := r.next.send(ctx, c)
		pause, again := t.after(ctx, c, a, err)
		if !again || r.clock.sleep(ctx, pause) != nil {
			return a, err
		}
	}
}

// tries is what is left of one call's budget.
type tries struct {
	*retry
	until  time.Time
	busy   int
	broken int
}

func (r *retry) begin() *tries {
	return &tries{retry: r, until: r.clock.now().Add(r.settings.RetryFor)}
}

// after says whether an outcome may be followed by the same request, and after what pause.
func (t *tries) after(ctx context.Context, c call, a answer, err error) (time.Duration, bool) {
	if ctx.Err() != nil {
		return 0, false
	}
	if err == nil && a.busy() {
		pause := t.growing(t.busy)
		wish, ok := wished(a.header, t.clock.now())
		if ok {
			pause = wish + time.Duration(t.random()*float64(max(wish/4, firstPause)))
		} else {
			wish = pause
		}
		if a.status == http.StatusTooManyRequests {
			t.hold(wish)
		}
		t.busy++
		return pause, !t.clock.now().Add(pause).After(t.until)
	}
	var nothingLeft *unsent
	again := errors.As(err, &nothingLeft) || (c.reads() && (err != nil || a.broken()))
	t.broken++
	return t.growing(t.broken - 1), again && t.broken < t.settings.Attempts
}

// growing doubles from a half to the whole of it, at random.
func (t *tries) growing(count int) time.Duration {
	pause := longestPause
	if count < 5 {
		pause = min(pause, firstPause<<count)
	}
	return time.Duration((0.5 + t.random()/2) * float64(pause))
}

// wished reads Retry-After: seconds or a date (RFC 9110, 10.2.3), at most a minute.
func wished(header http.Header, now time.Time) (time.Duration, bool) {
	value := header.Get("Retry-After")
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, longestWish.Seconds()) * float64(time.Second)), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), longestWish), true
	}
	return 0, false
}
