package neonhttp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// look is the pause between two looks for a token of whoever is the first in this process's line.
	look = 10 * time.Millisecond
	// longestNap bounds that pause while Neon wants no request, so that the end of the drawing is noticed.
	longestNap = time.Second
	// remembered is for how long a machine that has drawn tokens takes it that other machines do.
	remembered = time.Hour
)

// drawn is what this machine has of the bucket that all machines of an organization share. It is in the catalog, and a
// command draws from it for all processes here: tenantry/budgets/drawing.py. A token is one request, and soon too old.
type drawn struct {
	// Until says for how long somebody draws, unless it is moved on.
	Until time.Time `json:"until"`
	// Cut says that the catalog does not let itself be asked.
	Cut bool `json:"cut_off,omitempty"`
	// Tokens may be spent until Good.
	Tokens int       `json:"tokens"`
	Good   time.Time `json:"good_until,omitzero"`
	// Wanted is how many requests wait. Of a process that died it is too many, until tokens have got too old.
	Wanted int `json:"wanted"`
}

// drawing says whether requests wait for tokens.
func (a *account) drawing(now time.Time) bool {
	return a.Drawn != nil && !a.Drawn.Cut && now.Before(a.Drawn.Until) && a.Drawn.Until.Sub(now) < farthest
}

// apart says whether other machines use the account, as far as is known here, and nothing can be drawn.
func (a *account) apart(now time.Time) bool {
	return a.Drawn != nil && !a.drawing(now) && now.Sub(a.Drawn.Until) < remembered
}

// line is who waits for a token in this process, in the order in which they came. The first alone looks into the file.
type line struct {
	first   chan struct{}
	waiting atomic.Int32
}

var lines sync.Map

func lineOf(path string) *line {
	found, _ := lines.LoadOrStore(path, &line{first: make(chan struct{}, 1)})
	return found.(*line) //nolint:forcetypeassert // nothing else is put into it
}

// take returns true once it has taken a token, and false where nobody draws any.
func (p *pace) take(ctx context.Context) (bool, error) {
	line := lineOf(p.ledger.path)
	taken, drawing, _ := p.spend(line, false)
	if taken || !drawing {
		return taken, nil
	}
	line.waiting.Add(1)
	defer line.waiting.Add(-1)
	taken, err := p.stand(ctx, line)
	if !taken {
		_ = p.ledger.change(func(a *account) {
			if a.Drawn != nil {
				a.Drawn.Wanted = max(0, a.Drawn.Wanted-1)
			}
		})
	}
	return taken, err
}

// stand waits in the line for a token.
func (p *pace) stand(ctx context.Context, line *line) (bool, error) {
	select {
	case line.first <- struct{}{}:
		defer func() { <-line.first }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	for {
		taken, drawing, pause := p.spend(line, true)
		if taken || !drawing {
			return taken, nil
		}
		if err := p.clock.sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// spend takes a token where there is one. Whoever comes new leaves it to those who wait, and is counted among them.
func (p *pace) spend(line *line, first bool) (taken, drawing bool, pause time.Duration) {
	_ = p.ledger.change(func(a *account) {
		now := p.clock.now()
		// A process that alone sees its account draws nothing.
		if drawing = a.drawing(now); !drawing {
			return
		}
		d, held := a.Drawn, a.HeldUntil.Sub(now)
		pause = min(max(look, held), longestNap)
		if held > longestWish {
			held = 0
		}
		switch {
		case held <= 0 && d.Tokens > 0 && now.Before(d.Good) && (first || d.Wanted == 0):
			taken = true
			d.Tokens--
			if first {
				d.Wanted = max(0, d.Wanted-1)
			}
		case first:
			// Where tokens got too old, nobody was thought to wait any more.
			d.Wanted = max(d.Wanted, int(line.waiting.Load()))
		default:
			d.Wanted++
		}
	})
	return taken, drawing, pause
}
