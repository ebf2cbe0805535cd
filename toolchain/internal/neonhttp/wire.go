package neonhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"tenantry.dev/toolchain/internal/lease"
)

const (
	requestIDHeader = "x-neon-ret-request-id"
	// largest answer that is read: a page of 400 projects is less than one MB.
	largest = 64 << 20
)

// wire is the innermost layer: it sends a call once and reads the whole answer.
type wire struct{ plain *Plain }

func (w *wire) send(ctx context.Context, c call) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, &unsent{err}
	}
	if err := beforeSending(ctx); err != nil {
		return answer{}, &unsent{err}
	}
	if !c.reads() {
		// What changes something is not cut off: its answer would be lost. Its own timeout bounds it.
		ctx = context.WithoutCancel(ctx)
		lease.Check()
	}
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// From here on, bytes may leave at any moment.
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})
	address := PublicURL + c.path
	if c.query != "" {
		address += "?" + c.query
	}
	request, err := http.NewRequestWithContext(ctx, c.method, address, bytes.NewReader(c.body))
	if err != nil {
		return answer{}, &unsent{fmt.Errorf("%s %s is no request: %w", c.method, c.path, bare(err))}
	}
	if c.body == nil {
		request.Body, request.GetBody = http.NoBody, nil
	}
	request.Header = c.header.Clone()
	response, err := w.plain.Do(request)
	if err != nil {
		if !left.Load() {
			return answer{}, &unsent{bare(err)}
		}
		return answer{}, &lost{cause: bare(err), waiting: timedOut(err)}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err != nil {
		return answer{}, &lost{cause: fmt.Errorf("the answer broke off: %w", bare(err)), waiting: timedOut(err)}
	}
	a := answer{status: response.StatusCode, header: response.Header, body: body}
	if !a.ok() {
		return a, nil
	}
	if len(body) == 0 && (a.status == http.StatusNoContent || c.answersNothing()) {
		a.body = []byte("{}")
	} else if !json.Valid(body) {
		return answer{}, &lost{cause: fmt.Errorf("the answer %d is cut short or is not JSON", a.status)}
	}
	return a, nil
}

// bare takes method and URL off an error of net/http: the message that is made of it names them already.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

type sendingKey struct{}

// whenSending calls back right before the bytes of each request in this context leave; its error keeps them back.
func whenSending(ctx context.Context, note func() error) context.Context {
	return context.WithValue(ctx, sendingKey{}, note)
}

func beforeSending(ctx context.Context) error {
	if note, ok := ctx.Value(sendingKey{}).(func() error); ok {
		return note()
	}
	return nil
}
