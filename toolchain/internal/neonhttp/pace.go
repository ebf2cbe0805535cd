package neonhttp

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is the one rate limit of this process: a token bucket, and a moment before which nothing is sent because Neon
// said so. It lets reads and writes alike through in the order in which they come.
type pace struct {
	next   sender
	clock  clock
	bucket *rate.Limiter

	mu    sync.Mutex
	until time.Time
}

func newPace(next sender, clock clock, settings Settings) *pace {
	return &pace{next: next, clock: clock, bucket: rate.NewLimiter(settings.rate(), settings.burst())}
}

func (p *pace) send(ctx context.Context, c call) (answer, error) {
	if err := p.wait(ctx); err != nil {
		return answer{}, &unsent{err}
	}
	return p.next.send(ctx, c)
}

func (p *pace) wait(ctx context.Context) error {
	place := p.bucket.ReserveN(p.clock.now(), 1)
	if err := p.clock.sleep(ctx, place.DelayFrom(p.clock.now())); err != nil {
		place.CancelAt(p.clock.now())
		return err
	}
	for {
		p.mu.Lock()
		left := p.until.Sub(p.clock.now())
		p.mu.Unlock()
		if left <= 0 {
			return nil
		}
		if err := p.clock.sleep(ctx, left); err != nil {
			return err
		}
	}
}

// hold keeps every request of the process back for so long: a 429 speaks of the account and not of one request.
func (p *pace) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.clock.now().Add(d); until.After(p.until) {
		p.until = until
	}
}
