package withheld

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// FromAnswers takes credentials out of what a server says when it refuses a request: providers put its words into their errors.
//
// It returns a transport that sends requests through the given one.
func FromAnswers(transport http.RoundTripper) http.RoundTripper {
	return answers{transport}
}

type answers struct{ transport http.RoundTripper }

// mostWords is how much of a refusal is read: more than any API says.
const mostWords = 1 << 20

const hidden = "…"

// RoundTrip sends a request; an answer of status 300 or above comes back without the request's credentials.
func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.transport.RoundTrip(request)
	_, credentials, found := strings.Cut(request.Header.Get("Authorization"), " ")
	if err != nil || response.StatusCode < http.StatusMultipleChoices || !found || credentials == "" {
		return response, err
	}
	words, err := io.ReadAll(io.LimitReader(response.Body, mostWords))
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	said := []byte(hide(string(words), credentials))
	response.Body = io.NopCloser(bytes.NewReader(said))
	response.ContentLength = int64(len(said))
	response.Header.Del("Content-Length")
	for _, values := range response.Header {
		for i := range values {
			values[i] = hide(values[i], credentials)
		}
	}
	return response, nil
}

// hide replaces a secret in each of the forms in which a text repeats it.
func hide(text, secret string) string {
	escaped, _ := json.Marshal(secret) // a string can always be encoded
	return strings.NewReplacer(
		secret, hidden,
		string(escaped[1:len(escaped)-1]), hidden,
		url.QueryEscape(secret), hidden,
		url.PathEscape(secret), hidden,
	).Replace(text)
}
