package neonhttp

import (
	"context"
	"testing"
	"time"
)

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
		p := newPace(nil, clock, settings)
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
