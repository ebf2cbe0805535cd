package neonhttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func request(t *testing.T, method, address, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer napi_secret")
	return r
}

func TestRequestsGoToTheBaseURL(t *testing.T) {
	t.Parallel()
	var got, agent, key, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got, agent, key, body = r.Method+" "+r.URL.String(), r.UserAgent(), r.Header.Get("Authorization"), string(content)
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	client, err := NewPlain(Options{BaseURL: server.URL + "/api/v2/", UserAgent: "ours"})
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request(t, "POST", PublicURL+"/projects?org_id=o", `{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got != "POST /api/v2/projects?org_id=o" || agent != "ours" || key != "Bearer napi_secret" || body != `{"a":1}` {
		t.Errorf("the server saw %q, %q, %q, %q", got, agent, key, body)
	}
	if response.StatusCode != http.StatusCreated {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestTheKeyLeavesForNoOtherHost(t *testing.T) {
	t.Parallel()
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	client, err := NewPlain(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"https://example.org/api/v2/projects", PublicURL + "evil/projects", server.URL} {
		if _, err := client.Do(request(t, "GET", address, "")); err == nil {
			t.Errorf("%s was sent", address)
		} else if strings.Contains(err.Error(), "napi_secret") {
			t.Errorf("the key is in the error: %v", err)
		}
	}
	if asked {
		t.Error("the server was asked")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	client, err := NewPlain(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request(t, "GET", PublicURL+"/projects", ""))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if count != 1 || response.StatusCode != http.StatusFound {
		t.Errorf("%d requests, status %d", count, response.StatusCode)
	}
}

func TestASilentServerTimesOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	client, err := NewPlain(Options{BaseURL: server.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(request(t, "GET", PublicURL+"/projects", "")); err == nil {
		t.Error("no error")
	}
}

func TestABadBaseURLIsRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"127.0.0.1:8080", "ftp://host/api", "http://", "/api/v2", "http://h/api?x=1", "http://h\x7f"} {
		if _, err := NewPlain(Options{BaseURL: base}); err == nil || !strings.Contains(err.Error(), "NEON_API_URL") {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := NewPlain(Options{}); err != nil {
		t.Errorf("no base URL: %v", err)
	}
}
