package neonhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"tenantry.dev/toolchain/internal/passing"
)

const (
	// sends is how often a project is asked for at most, each time after look-ups that did not find it.
	sends        = 3
	firstLook    = 500 * time.Millisecond
	longestLook  = 5 * time.Second
	lockPatience = 5 * time.Minute
)

// projects makes POST /projects idempotent by the project's name. Neon keeps names no more unique than that, and has no
// way to say the same create twice: so the name is looked for first, a match is taken over, and a create whose answer
// was lost is not sent again until look-ups have said that it did not happen.
type projects struct {
	// next repeats what is safe; once sends one time only.
	next, once sender
	retry      *retry
	waiting    *waiting
	intents    *intents
	clock      clock
	settings   Settings

	mu      sync.Mutex
	deleted map[string]bool
}

func (p *projects) send(ctx context.Context, c call) (answer, error) {
	switch {
	case c.is(http.MethodPost, "projects"):
		return p.create(ctx, c)
	case c.is(http.MethodDelete, "projects", "*"):
		a, err := p.next.send(ctx, c)
		if err == nil && a.ok() {
			p.mu.Lock()
			p.deleted[c.segments()[1]] = true
			p.mu.Unlock()
		}
		return a, err
	default:
		return p.next.send(ctx, c)
	}
}

// deletedHere says whether this process deleted the project: a successor of the same name must not take it over.
func (p *projects) deletedHere(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deleted[id]
}

func (p *projects) create(ctx context.Context, c call) (answer, error) {
	var body struct {
		Project wantedProject `json:"project"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil {
		return answer{}, &unsent{fmt.Errorf("the project to create is no JSON: %w", shape(err))}
	}
	wanted := body.Project
	if wanted.Name == "" {
		// Nothing to know it by: sent, and never twice where it may have been done.
		return p.next.send(ctx, c)
	}
	held, err := p.intents.hold(ctx, wanted.Name, wanted.OrgID, lockPatience)
	if err != nil {
		return answer{}, &unsent{err}
	}
	made, found, err := p.make(ctx, c, wanted, held)
	if err != nil || found == nil {
		return made, err
	}
	return p.takeOver(ctx, c, wanted, found)
}

// make sends the create where the name is not there, and returns the answer or the project that is there. The intent has
// ended or is left behind when it returns.
func (p *projects) make(ctx context.Context, c call, wanted wantedProject, held *intent) (a answer, found *project, err error) {
	// Whether a request for this name may be under way that is none of the last one's.
	uncertain := false
	sure := false
	defer func() {
		if sure || found != nil {
			held.settled()
		} else {
			held.kept()
		}
	}()
	if found, err = p.find(ctx, c, wanted); err != nil || found != nil {
		return answer{}, found, err
	}
	if !held.before.IsZero() {
		if until := held.before.Add(p.settings.IntentFor); until.After(p.clock.now()) {
			uncertain = true
			if found, err = p.keepLooking(ctx, c, wanted, until); err != nil || found != nil {
				return answer{}, found, err
			}
		}
	}
	left := p.retry.begin()
	for sent := 1; ; sent++ {
		a, err = p.once.send(whenSending(ctx, held.write), c)
		var nothingLeft *unsent
		switch {
		case err == nil && a.ok() && complete(a):
			sure = true
			if uncertain {
				_, err = p.find(ctx, c, wanted)
			}
			return a, nil, err
		case errors.As(err, &nothingLeft), err == nil && a.busy():
			if pause, again := left.after(ctx, c, a, err); !again || p.clock.sleep(ctx, pause) != nil {
				sure = !uncertain && !(err == nil && a.status == http.StatusServiceUnavailable)
				return a, nil, err
			}
			sent-- // nothing was done
			if err == nil && a.status == http.StatusServiceUnavailable {
				// Neon says that this is safe. Whatever stands before Neon may say 503 as well, of an answer that it lost.
				if found, err = p.find(ctx, c, wanted); err != nil || found != nil {
					return answer{}, found, err
				}
			}
		case err == nil && !a.ok() && !a.broken() && a.status != http.StatusRequestTimeout:
			sure = !uncertain
			return a, nil, nil
		default:
			uncertain = true
			if fault := held.write(); fault != nil {
				return answer{}, nil, fault
			}
			why := outcome(c, a, err)
			var out *lost
			// A server that still had the connection may be at work on it for longer than anybody looks.
			patient := !errors.As(err, &out) || !out.waiting
			found, err = p.keepLooking(ctx, c, wanted, p.clock.now().Add(p.settings.LostFor))
			if err != nil {
				return answer{}, nil, unknown(c, wanted, fmt.Errorf("%w; and then %w", why, err))
			}
			if found != nil {
				return answer{}, found, nil
			}
			if sent >= sends || !patient {
				return answer{}, nil, unknown(c, wanted, why)
			}
		}
	}
}

// keepLooking looks for the name at once, and again in growing pauses until it is there or the time has come.
func (p *projects) keepLooking(ctx context.Context, c call, wanted wantedProject, until time.Time) (*project, error) {
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		found, err := p.find(ctx, c, wanted)
		if err != nil || found != nil {
			return found, err
		}
		left := until.Sub(p.clock.now())
		if left <= 0 {
			return nil, nil
		}
		if err := p.clock.sleep(ctx, min(pause, left)); err != nil {
			return nil, failed(c, err)
		}
	}
}

// complete says whether a success has what the provider makes its state of.
func complete(a answer) bool {
	var made struct {
		Project, Branch struct {
			ID string `json:"id"`
		}
		Endpoints, Databases []json.RawMessage
	}
	return json.Unmarshal(a.body, &made) == nil && made.Project.ID != "" && made.Branch.ID != "" &&
		len(made.Endpoints) > 0 && len(made.Databases) > 0
}

// outcome puts into words what became of a request whose fate is not known.
func outcome(c call, a answer, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("no answer (%s)", oneLine(c, err.Error()))
	case a.ok():
		return errors.New("an answer without the project")
	default:
		said := refused(c, a)
		said.Advice, said.passes = "", false
		return said
	}
}

func unknown(c call, wanted wantedProject, why error) error {
	return &Error{
		Method: c.method, Path: c.path,
		Message: fmt.Sprintf("whether project %q was made is not known: %s", wanted.Name, oneLine(c, passing.Unmarked(why.Error()))),
		Advice:  "tenantry up looks for its name, and takes it over or makes it",
		passes:  true,
		cause:   why,
	}
}
