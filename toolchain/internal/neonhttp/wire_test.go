package neonhttp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func wireTo(t *testing.T, handler http.HandlerFunc, timeout time.Duration) *wire {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	plain, err := NewPlain(Options{BaseURL: server.URL, Timeout: timeout, Transport: &http.Transport{}})
	if err != nil {
		t.Fatal(err)
	}
	return &wire{plain}
}

func TestAnEmpty204IsAnEmptyObject(t *testing.T) {
	t.Parallel()
	w := wireTo(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 0)
	a, err := w.send(context.Background(), call{method: "DELETE", path: "/projects/p/branches/b"})
	if err != nil || string(a.body) != "{}" {
		t.Errorf("%v %s", err, a.body)
	}
	w = wireTo(t, func(http.ResponseWriter, *http.Request) {}, 0)
	a, err = w.send(context.Background(), call{method: "POST", path: "/projects/p/vpc_endpoints/v", body: []byte("{}")})
	if err != nil || string(a.body) != "{}" {
		t.Errorf("%v %s", err, a.body)
	}
}

func TestABodyThatIsCutShortIsALostAnswer(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"by its length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"project":`))
		},
		"by itself":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"project":`)) },
		"a page":           func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
		"nothing, and 200": func(http.ResponseWriter, *http.Request) {},
	} {
		_, err := wireTo(t, handler, 0).send(context.Background(), call{method: "POST", path: "/projects", body: []byte("{}")})
		var out *lost
		if !errors.As(err, &out) || out.waiting {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATimeoutIsToldFromAClosedConnection(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := wireTo(t, func(http.ResponseWriter, *http.Request) { <-release }, 50*time.Millisecond)
	defer close(release)
	_, err := w.send(context.Background(), call{method: "POST", path: "/projects", body: []byte("{}")})
	var out *lost
	if !errors.As(err, &out) || !out.waiting {
		t.Errorf("%v", err)
	}
}

func TestAChangeUnderWayIsAnsweredThoughTheRunIsCancelled(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	w := wireTo(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = w.Write([]byte(`{}`))
	}, 0)
	for method, want := range map[string]bool{"POST": true, "GET": false} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := w.send(ctx, call{method: method, path: "/projects", body: []byte("{}")})
			done <- err
		}()
		<-arrived
		cancel()
		if want {
			release <- struct{}{}
		}
		if err := <-done; (err == nil) != want {
			t.Errorf("%s: %v", method, err)
		}
	}
	close(release)
}

func TestAnIntentThatCannotBeWrittenKeepsTheRequestBack(t *testing.T) {
	t.Parallel()
	asked := false
	w := wireTo(t, func(http.ResponseWriter, *http.Request) { asked = true }, 0)
	ctx := whenSending(context.Background(), func() error { return errors.New("disk full") })
	_, err := w.send(ctx, call{method: "POST", path: "/projects"})
	var nothingLeft *unsent
	if !errors.As(err, &nothingLeft) || asked {
		t.Errorf("%v, asked %t", err, asked)
	}
}

func TestErrorsAreOneLineWithoutTheKey(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.trouble("GET /projects/p-1", trouble{
		status: 400, body: `{"code":"BAD","message":"key napi_secret\nis ` + strings.Repeat("very ", 200) + `bad","request_id":"r-2"}`,
	})
	_, err := send(t, c.client(testSettings(t)), Run{}, "GET", "/projects/p-1", "")
	if err == nil || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "napi_secret") || len(err.Error()) > 600 ||
		!strings.HasPrefix(err.Error(), "GET /projects/p-1: Neon answered 400 BAD: key [key] is very") || !strings.Contains(err.Error(), "(request r-2)") {
		t.Errorf("%v", err)
	}
	for _, status := range []int{401, 403, 404, 302, 422} {
		c.trouble("GET /projects/p-1", trouble{status: status, body: "<html>secret page</html>"})
		if _, err := send(t, c.client(testSettings(t)), Run{}, "GET", "/projects/p-1", ""); err == nil ||
			!strings.Contains(err.Error(), "without a message: ") || strings.Contains(err.Error(), "secret page") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestTheClientSendsTheKeyNowhereElse(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, address := range []string{"https://example.org/api/v2/projects", PublicURL + "evil/projects", c.URL} {
		_, err := c.client(testSettings(t)).For(context.Background(), Run{}).Do(request(t, "GET", address, ""))
		if err == nil || !strings.Contains(err.Error(), "refusing to send the API key") || len(c.asked) != 0 {
			t.Errorf("%s: %v", address, err)
		}
	}
}
