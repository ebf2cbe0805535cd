package neonhttp

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// alone is the part of the budget for who cannot see what the others use: a process, or a machine.
	alone = 1.0 / 8
	// farthest ahead that the next turn may be. One beyond is of a clock that was set back.
	farthest = time.Hour
)

// pace is the rate limit of all processes of this machine that ask with one key. While a command draws tokens from the
// bucket that all machines share, each request takes one (wallet.go). Else there is a bucket for this machine: GCRA, a
// leaky bucket that is kept as one moment. And there is a moment before which nothing is sent because Neon said so. Reads
// and writes alike go in the order in which they come.
type pace struct {
	next     sender
	clock    clock
	ledger   *ledger
	settings Settings
	told     sync.Once
}

func newPace(next sender, clock clock, ledger *ledger, settings Settings) *pace {
	return &pace{next: next, clock: clock, ledger: ledger, settings: settings}
}

func (p *pace) send(ctx context.Context, c call) (answer, error) {
	if err := p.wait(ctx); err != nil {
		return answer{}, &unsent{err}
	}
	return p.next.send(ctx, c)
}

// wait returns when it is the caller's turn.
func (p *pace) wait(ctx context.Context) error {
	if taken, err := p.take(ctx); taken || err != nil {
		return err
	}
	return p.queue(ctx)
}

// queue returns when it is the caller's turn in this machine's own bucket. Whoever is held up while waiting takes a new
// turn: all turns of before would come at once when the hold ends.
func (p *pace) queue(ctx context.Context) error {
	for {
		turn, held := p.reserve(ctx)
		left := turn.Sub(p.clock.now())
		if err := p.clock.sleep(ctx, left); err != nil {
			return err
		}
		if left <= 0 || p.heldUntil().Equal(held) {
			return nil
		}
	}
}

// reserve takes the next turn, and returns it with the hold that it reckons with.
func (p *pace) reserve(ctx context.Context) (turn, held time.Time) {
	var cut bool
	fault := p.ledger.change(func(a *account) {
		budget, now := p.budget(a), p.clock.now()
		cut = a.Drawn != nil && a.Drawn.Cut && a.apart(now)
		if a.Next.Before(now) || a.Next.Sub(now) > farthest {
			a.Next = now
		}
		if a.HeldUntil.Sub(now) > longestWish {
			a.HeldUntil = time.Time{}
		}
		turn = latest(now, a.Next.Add(-budget.lead()), a.HeldUntil)
		a.Next = a.Next.Add(budget.interval())
		held = a.HeldUntil
	})
	if fault != nil {
		p.told.Do(func() {
			warn(ctx, fmt.Sprintf("the requests of other processes are not seen (%v): this one keeps to %.0f a minute", fault,
				p.settings.PerMinute*p.settings.Share*alone))
		})
	}
	if cut {
		p.told.Do(func() {
			warn(ctx, fmt.Sprintf("the catalog cannot be asked for this machine's part of the requests that all machines "+
				"may send: until then it keeps to %.0f a minute", p.settings.PerMinute*p.settings.Share*alone))
		})
	}
	return turn, held
}

// budget is what this process has of the account's.
func (p *pace) budget(a *account) Settings {
	budget := p.settings
	if a.alone || a.apart(p.clock.now()) {
		budget.Share *= alone
	}
	return budget
}

func (p *pace) heldUntil() (held time.Time) {
	// A fault has been told of by reserve.
	_ = p.ledger.change(func(a *account) { held = a.HeldUntil })
	return held
}

// hold keeps every request of the key back for so long: a 429 speaks of the account and not of one request. After it
// they come evenly, without a burst.
func (p *pace) hold(d time.Duration) {
	_ = p.ledger.change(func(a *account) {
		if until := p.clock.now().Add(d); until.After(a.HeldUntil) {
			a.HeldUntil, a.Next = until, until.Add(p.budget(a).lead())
			if a.Drawn != nil {
				a.Drawn.Tokens = 0
			}
		}
	})
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, each := range others {
		if each.After(first) {
			first = each
		}
	}
	return first
}
