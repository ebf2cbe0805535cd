package neonhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tenantry.dev/toolchain/internal/passing"
)

// longestMessage is how much is shown of what a server said.
const longestMessage = 400

// Error is a request that did not succeed, in one line: what was asked, what came of it, what to do. It never holds a
// body, a password or the key. It is deliberately not the SDK's own error: at 423, 429 and 500 upstream would run the
// whole operation again, and with it a create.
type Error struct {
	Method, Path string
	// Status of the answer; zero where there was none.
	Status int
	// Code, Message and RequestID as Neon gave them.
	Code, Message, RequestID string
	// Advice is what to do.
	Advice string
	// passes: the same may succeed a little later.
	passes bool
	cause  error
}

func (e *Error) Error() string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s %s: ", e.Method, e.Path)
	if e.Status == 0 {
		line.WriteString(e.Message)
	} else {
		fmt.Fprintf(&line, "Neon answered %d", e.Status)
		if e.Code != "" {
			line.WriteString(" " + e.Code)
		}
		if e.Message == "" {
			line.WriteString(" without a message")
		} else {
			line.WriteString(": " + e.Message)
		}
	}
	if e.RequestID != "" {
		fmt.Fprintf(&line, " (request %s)", e.RequestID)
	}
	if e.Advice != "" {
		line.WriteString(": " + e.Advice)
	}
	return passing.Marked(line.String(), e.passes)
}

// Unwrap returns what the error came of, if anything.
func (e *Error) Unwrap() error { return e.cause }

// refused is the error of an answer that is no success.
func refused(c call, a answer) *Error {
	said := a.problem()
	id := a.header.Get(requestIDHeader)
	if id == "" {
		id = said.RequestID
	}
	return &Error{
		Method: c.method, Path: c.path, Status: a.status,
		Code: oneLine(c, said.Code), Message: oneLine(c, said.Message), RequestID: oneLine(c, id),
		Advice: advice(c, a.status),
		passes: a.busy() || a.broken(),
	}
}

// failed is the error of a call without an answer, or with one that says nothing. An *Error stays what it is.
func failed(c call, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	message, todo := "no answer: "+oneLine(c, err.Error()), "look at the network and at NEON_API_URL, then tenantry up"
	var out *lost
	var nothingLeft *unsent
	passes := errors.As(err, &out) || errors.As(err, &nothingLeft)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		message, todo, passes = "ended because the run was cancelled", "tenantry up goes on", false
	case out != nil && !c.reads():
		todo = "whether it was done is not known: tenantry up -- --refresh looks, and goes on"
	}
	return &Error{Method: c.method, Path: c.path, Message: message, Advice: todo, passes: passes, cause: err}
}

func advice(c call, status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "set NEON_API_KEY, or the stack's secret neon:apiKey, to a key that Neon knows"
	case http.StatusForbidden:
		return "the API key has not the right to this: take one of an administrator of the organization"
	case http.StatusNotFound:
		return "look at NEON_API_URL and the key's organization; tenantry up -- --refresh, if it was deleted outside of the stack"
	case http.StatusLocked:
		return "another operation keeps the project busy: tenantry up when it has ended"
	case http.StatusTooManyRequests:
		return "lower NEON_API_RPM, or give each of several machines its NEON_API_SHARE, then tenantry up"
	}
	switch {
	case status >= 500 && c.reads():
		return "Neon is disturbed (neonstatus.com): tenantry up when it has recovered"
	case status >= 500:
		return "whether it was done is not known: tenantry up -- --refresh looks, and goes on"
	case status >= 300 && status < 400:
		return "look at NEON_API_URL: Neon sends nobody elsewhere"
	}
	return "correct what it names, then tenantry up"
}

// oneLine makes a text of the server's fit for a message: one line, not too long, without the key.
func oneLine(c call, text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if _, key, found := strings.Cut(c.header.Get("Authorization"), " "); found && key != "" {
		text = strings.ReplaceAll(text, key, "[key]")
	}
	if runes := []rune(text); len(runes) > longestMessage {
		text = string(runes[:longestMessage]) + "…"
	}
	return text
}
