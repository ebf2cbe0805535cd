package resident

import (
	"context"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/util/cancel"
)

// stops ends what runs: after its current steps at the first call, at once at the second. What begins later is ended as well.
type stops struct {
	lock  sync.Mutex
	count int
	open  map[*scope]struct{}
}

func newStops() *stops { return &stops{open: map[*scope]struct{}{}} }

func (s *stops) stop() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.count++
	for each := range s.open {
		each.stop(s.count)
	}
}

// NewScope gives what one operation is ended by.
func (s *stops) NewScope(ctx context.Context, _ chan<- engine.Event, _ bool) backend.CancellationScope {
	context, source := cancel.NewContext(ctx)
	made := &scope{context: context, source: source, all: s}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.open[made] = struct{}{}
	made.stop(s.count)
	return made
}

type scope struct {
	context *cancel.Context
	source  *cancel.Source
	all     *stops
}

func (s *scope) stop(times int) {
	switch {
	case times > 1:
		s.source.Terminate()
	case times == 1:
		s.source.Cancel()
	}
}

// Context is observed by the engine.
func (s *scope) Context() *cancel.Context { return s.context }

// Close ends the hearing.
func (s *scope) Close() {
	s.all.lock.Lock()
	defer s.all.lock.Unlock()
	delete(s.all.open, s)
}
