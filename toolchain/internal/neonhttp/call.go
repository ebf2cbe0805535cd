package neonhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one request to the API, apart from where the API is and how it travels.
type call struct {
	method string
	// path below the API's root, escaped, with a leading slash.
	path   string
	query  string
	header http.Header
	body   []byte
}

// answer is a whole answer. Of a success, the body is JSON: "{}" where the API sent none.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// sender is a layer: it sends a call, and changes what it is there to change.
type sender interface {
	send(ctx context.Context, c call) (answer, error)
}

// unsent is the failure of a request of which the server saw nothing.
type unsent struct{ cause error }

func (e *unsent) Error() string { return e.cause.Error() }
func (e *unsent) Unwrap() error { return e.cause }

// lost is the failure of a request whose bytes may have left: whether its work was done is not known.
type lost struct {
	cause error
	// waiting: the client gave up while the connection was still open, so the server may be at work on it.
	waiting bool
}

func (e *lost) Error() string { return e.cause.Error() }
func (e *lost) Unwrap() error { return e.cause }

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// busy says whether Neon documents the status as one that means "nothing was done, try again" for every method.
func (a answer) busy() bool {
	return a.status == http.StatusLocked || a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
}

func (a answer) broken() bool { return a.status >= 500 }

// problem is the body of an answer that is no success.
type problem struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

func (a answer) problem() problem {
	var p problem
	// Another server's page is no problem of Neon's: it stays empty.
	_ = json.Unmarshal(a.body, &p)
	return p
}

// segments are the path's parts, unescaped: ["projects", "quiet-lake-1", "branches"].
func (c call) segments() []string {
	parts := strings.Split(strings.Trim(c.path, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

// is says whether the call has this method and path; "*" stands for one segment.
func (c call) is(method string, pattern ...string) bool {
	return c.method == method && slices.EqualFunc(c.segments(), pattern, func(part, wanted string) bool {
		return wanted == "*" || part == wanted
	})
}

func (c call) reads() bool { return c.method == http.MethodGet || c.method == http.MethodHead }

// answersNothing says whether Neon documents a success without a body, beside 204.
func (c call) answersNothing() bool {
	return !c.reads() && slices.Contains(c.segments(), "vpc_endpoints")
}

// derived returns a call of our own in the name of this one: the same key, another route.
func (c call) derived(method string, body any, segments ...string) call {
	escaped := make([]string, len(segments))
	for i, part := range segments {
		escaped[i] = url.PathEscape(part)
	}
	own := call{method: method, path: "/" + strings.Join(escaped, "/"), header: c.header}
	if body != nil {
		// Marshalling of maps, strings, numbers and raw JSON cannot fail.
		own.body, _ = json.Marshal(body)
	}
	return own
}

func (c call) with(query url.Values) call {
	c.query = query.Encode()
	return c
}

// ask sends a call of our own and decodes the answer. An answer that is no success is an *Error.
func ask(ctx context.Context, next sender, c call, into any) error {
	a, err := next.send(ctx, c)
	if err != nil {
		return failed(c, err)
	}
	if !a.ok() {
		return refused(c, a)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return failed(c, fmt.Errorf("the answer does not have the form that Neon documents: %w", shape(err)))
	}
	return nil
}

// shape drops from an error of the JSON decoder what it may quote of the answer.
func shape(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s is not a %s", wrong.Field, wrong.Type)
	}
	return errors.New("no such JSON")
}
