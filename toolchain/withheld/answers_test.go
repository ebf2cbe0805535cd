package withheld

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

const key = "napi_canary/\"+%"

// ask sends the key to a server that repeats it with a status, and returns what the client sees of it.
func ask(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Location", "/?told="+url.QueryEscape(came))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"plain": `+strconv.Quote(came)+`, "quoted": "`+url.PathEscape(came)+`"}`+came)
	}))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := FromAnswers(http.DefaultTransport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Header.Get("Location") + string(body)
}

func TestARefusalIsWithoutTheCredentials(t *testing.T) {
	for _, status := range []int{302, 400, 401, 404, 500, 503} {
		said := ask(t, status)
		for _, form := range []string{key, strconv.Quote(key), url.QueryEscape(key), url.PathEscape(key)} {
			if strings.Contains(said, form) {
				t.Errorf("%d: %s", status, said)
			}
		}
		if strings.Count(said, hidden) != 4 {
			t.Errorf("%d: %s", status, said)
		}
	}
}

func TestAnAnswerIsLeftAsItIs(t *testing.T) {
	if said := ask(t, 200); !strings.Contains(said, key) {
		t.Error(said)
	}
}
