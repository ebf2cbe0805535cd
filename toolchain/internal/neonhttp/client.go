// Package neonhttp is the HTTP client that the Neon provider talks through. It is the one place for what the provider
// itself cannot be told or gets wrong for a fleet: where the API is, how fast it is asked, what is sent again and what
// never, how operations are waited for, and that there is one project for one name.
//
// A request passes the layers from top to bottom, and its answer back up:
//
//	Client     one line for every failure
//	recall     reads after a create are answered by the create's answer
//	fill       what older answers lack
//	update     a PATCH says what changed, and nothing else
//	waiting    answers come when their operations have ended
//	projects   one project for one name
//	parts      one branch, compute, role and database for one name
//	retry      what is safe is sent again
//	pace       the rate limit, of all processes
//	wire       one request, one whole answer
package neonhttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Client sends the SDK's requests through the layers.
type Client struct{ top sender }

// New checks the options. It fails where the base URL is not an absolute http or https URL.
func New(options Options, settings Settings) (*Client, error) {
	plain, err := NewPlain(options)
	if err != nil {
		return nil, err
	}
	ledger := newLedger(settings.AccountFolder, plain.base.String(), options.Key, realClock{})
	return layered(&wire{plain}, settings, realClock{}, ledger), nil
}

func layered(wire sender, settings Settings, clock clock, ledger *ledger) *Client {
	pace := newPace(wire, clock, ledger, settings)
	retry := newRetry(pace, clock, settings)
	// What a take-over begins is waited for below the layer that waits for the rest.
	inner := &waiting{next: retry, clock: clock, ledger: ledger, settings: settings}
	parts := &parts{next: retry, retry: retry, waiting: inner, clock: clock, settings: settings}
	projects := &projects{
		next: parts, once: pace, retry: retry, waiting: inner, clock: clock, settings: settings,
		intents: &intents{folder: settings.StateFolder, clock: clock}, deleted: map[string]bool{},
	}
	outer := &waiting{next: projects, clock: clock, ledger: ledger, settings: settings}
	return &Client{top: &recall{next: &fill{next: &update{next: outer}}}}
}

// Run is what one operation of the provider adds to its requests.
type Run struct {
	// Changed says whether an attribute of the resource changes. Nil: not known, and requests stay as they are.
	Changed func(attribute string) bool
	// Warn is told what the operator should know of a success.
	Warn func(text string)
}

// Bound is the client of one operation: its requests end with the operation's context.
type Bound struct {
	client *Client
	ctx    context.Context
}

// For binds the client to an operation. The SDK's requests carry no context of their own.
func (c *Client) For(ctx context.Context, run Run) *Bound {
	return &Bound{client: c, ctx: remembering(context.WithValue(ctx, runKey{}, run))}
}

// Do sends one request of the SDK. It fails with an *Error for each answer that is no success.
func (b *Bound) Do(request *http.Request) (*http.Response, error) {
	c, err := parse(request)
	if err != nil {
		return nil, err
	}
	a, err := b.client.top.send(b.ctx, c)
	if err != nil {
		return nil, failed(c, err)
	}
	if !a.ok() {
		return nil, refused(c, a)
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       request,
	}, nil
}

// parse takes a request of the SDK apart. A request elsewhere than to Neon's API is refused: it carries the API key.
func parse(request *http.Request) (call, error) {
	rest, found := strings.CutPrefix(request.URL.String(), PublicURL)
	if !found || rest == "" || rest[0] != '/' {
		return call{}, fmt.Errorf("refusing to send the API key to %s://%s: it is not the Neon API", request.URL.Scheme, request.URL.Host)
	}
	path, query, _ := strings.Cut(rest, "?")
	c := call{method: request.Method, path: path, query: query, header: request.Header}
	if request.Body != nil && request.Body != http.NoBody {
		body, err := io.ReadAll(request.Body)
		_ = request.Body.Close()
		if err != nil {
			return call{}, err
		}
		c.body = body
	}
	return c, nil
}

type runKey struct{}

func warn(ctx context.Context, text string) {
	if run, _ := ctx.Value(runKey{}).(Run); run.Warn != nil {
		run.Warn(text)
	}
}

func changes(ctx context.Context) func(string) bool {
	run, _ := ctx.Value(runKey{}).(Run)
	return run.Changed
}

func asError(err error) (*Error, bool) {
	var known *Error
	ok := errors.As(err, &known)
	return known, ok
}
