package neonhttp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// operationsPage is how many operations one look shows, the newest first: a call begins a handful.
const operationsPage = 100

// operation is what the API says of one; see https://neon.com/docs/manage/operations.
type operation struct {
	ID         string `json:"id"`
	ProjectID  string `json:"project_id"`
	BranchID   string `json:"branch_id"`
	EndpointID string `json:"endpoint_id"`
	Action     string `json:"action"`
	Status     string `json:"status"`
	Error      string `json:"error"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
}

func (o operation) unfinished() bool {
	return o.Status == "scheduling" || o.Status == "running" || o.Status == "cancelling"
}

func (o operation) failed() bool {
	return o.Status == "failed" || o.Status == "error" || o.Status == "cancelled"
}

// waiting waits for the operations that a call has begun, and hands its answer on with every one of them ended: the
// provider itself polls each ten times a second, for ever, and takes a failed one for a success.
type waiting struct {
	next     sender
	clock    clock
	ledger   *ledger
	settings Settings
}

func (w *waiting) send(ctx context.Context, c call) (answer, error) {
	a, err := w.next.send(ctx, c)
	if err != nil || !a.ok() || c.reads() {
		return a, err
	}
	var whole map[string]json.RawMessage
	var begun []json.RawMessage
	if json.Unmarshal(a.body, &whole) != nil || json.Unmarshal(whole["operations"], &begun) != nil || len(begun) == 0 {
		return a, nil
	}
	ended, err := w.settle(ctx, c, actions(begun), begun)
	if err != nil {
		return answer{}, err
	}
	if whole["operations"], err = json.Marshal(ended); err != nil {
		return answer{}, err
	}
	a.body, err = json.Marshal(whole)
	return a, err
}

// settle waits until all of these operations have ended and returns them as they are then. It fails with the first one
// that failed, and where the deadline passes. kind is what they are known by; empty where they began at any time.
func (w *waiting) settle(ctx context.Context, c call, kind string, raw []json.RawMessage) ([]json.RawMessage, error) {
	began := w.clock.now()
	looked, scout := false, kind == ""
	for {
		pending := map[string]int{}
		var slowest operation
		for i, each := range raw {
			var o operation
			if err := json.Unmarshal(each, &o); err != nil {
				return nil, failed(c, fmt.Errorf("an operation does not have the form that Neon documents: %w", shape(err)))
			}
			if o.failed() {
				return nil, operationFailed(c, o)
			}
			if o.unfinished() {
				pending[o.ID] = i
				slowest = o
			}
		}
		if len(pending) == 0 {
			if looked && kind != "" {
				w.learn(kind, raw)
			}
			return raw, nil
		}
		if w.clock.now().Sub(began) >= w.settings.OperationsFor {
			return nil, tooSlow(c, slowest, w.settings.OperationsFor)
		}
		looked = true
		if err := w.pause(ctx, kind, raw, began, &scout); err != nil {
			return nil, failed(c, err)
		}
		if err := w.look(ctx, c, slowest.ProjectID, pending, raw); err != nil {
			return nil, err
		}
	}
}

// look brings the pending operations up to date, by one request for all of them.
func (w *waiting) look(ctx context.Context, c call, project string, pending map[string]int, raw []json.RawMessage) error {
	if project == "" {
		project = c.segments()[1]
	}
	page, err := w.list(ctx, c, project)
	if err != nil {
		return err
	}
	for _, each := range page {
		var o operation
		if json.Unmarshal(each, &o) == nil {
			if i, ok := pending[o.ID]; ok {
				raw[i] = each
				delete(pending, o.ID)
			}
		}
	}
	for id, i := range pending {
		var one struct {
			Operation json.RawMessage `json:"operation"`
		}
		if err := ask(ctx, w.next, c.derived("GET", nil, "projects", project, "operations", id), &one); err != nil {
			return err
		}
		raw[i] = one.Operation
	}
	return nil
}

// list returns a project's newest operations, the newest first.
func (w *waiting) list(ctx context.Context, c call, project string) ([]json.RawMessage, error) {
	var page struct {
		Operations []json.RawMessage `json:"operations"`
	}
	query := url.Values{"limit": {strconv.Itoa(operationsPage)}}
	err := ask(ctx, w.next, c.derived("GET", nil, "projects", project, "operations").with(query), &page)
	return page.Operations, err
}

// quiet waits until nothing is under way in a project, and returns its newest operations as they are then.
func (w *waiting) quiet(ctx context.Context, c call, project string) ([]operation, error) {
	page, err := w.list(ctx, c, project)
	if err != nil {
		return nil, err
	}
	var pending []json.RawMessage
	var all []operation
	for _, each := range page {
		var o operation
		if json.Unmarshal(each, &o) == nil && o.unfinished() {
			pending = append(pending, each)
			continue
		}
		all = append(all, o)
	}
	if len(pending) == 0 {
		return all, nil
	}
	if _, err := w.settle(ctx, c, "", pending); err != nil {
		return nil, err
	}
	return all, nil
}

func operationFailed(c call, o operation) error {
	reason := oneLine(c, o.Error)
	if reason == "" {
		reason = "no reason given"
	}
	return &Error{
		Method: c.method, Path: c.path,
		Message: fmt.Sprintf("operation %s (%s) of project %s %s: %s", o.ID, o.Action, o.ProjectID, o.verdict(), reason),
		Advice:  "what was made stays, and tenantry up goes on with it",
	}
}

func (o operation) verdict() string {
	if o.Status == "cancelled" {
		return "was cancelled"
	}
	return "failed"
}

func tooSlow(c call, o operation, limit time.Duration) error {
	return &Error{
		Method: c.method, Path: c.path,
		Message: fmt.Sprintf("operation %s (%s) of project %s has not ended within %s", o.ID, o.Action, o.ProjectID, limit),
		Advice:  operations.name + " is how long it is waited for; what was made stays, and tenantry up goes on with it",
		passes:  true,
	}
}
