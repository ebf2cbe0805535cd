package neonhttp

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// PublicURL is where the provider sends its requests: its SDK has it fixed.
	PublicURL = "https://console.neon.tech/api/v2"
	// DefaultTimeout bounds one request with its answer; it is the provider's own.
	DefaultTimeout = 2 * time.Minute
)

// Options of a client.
type Options struct {
	// BaseURL is the API's root, such as http://127.0.0.1:8080/api/v2. Empty: PublicURL.
	BaseURL string
	// Key is the API key whose budget the requests count for. They carry it already.
	Key string
	// UserAgent is sent with each request.
	UserAgent string
	// Timeout of one request with its answer. Zero: DefaultTimeout.
	Timeout time.Duration
	// Transport sends the requests. Nil: http.DefaultTransport.
	Transport http.RoundTripper
}

// Plain sends the SDK's requests to the base URL, once each. Answers are handed on as they are, of every status.
type Plain struct {
	base      *url.URL
	userAgent string
	http      *http.Client
}

// NewPlain checks the options. It fails where the base URL is not an absolute http or https URL.
func NewPlain(options Options) (*Plain, error) {
	raw := options.BaseURL
	if raw == "" {
		raw = PublicURL
	}
	base, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.RawQuery != "" {
		return nil, fmt.Errorf("NEON_API_URL: %q is not the URL of a Neon API: it must look like %s", raw, PublicURL)
	}
	timeout := options.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &Plain{
		base:      base,
		userAgent: options.UserAgent,
		http:      &http.Client{Timeout: timeout, Transport: options.Transport, CheckRedirect: noRedirect},
	}, nil
}

// Do sends one request. It implements the HTTPClient of the Neon SDK.
func (p *Plain) Do(request *http.Request) (*http.Response, error) {
	target, err := p.rebase(request.URL)
	if err != nil {
		return nil, err
	}
	clone := request.Clone(request.Context())
	clone.URL = target
	clone.Host = ""
	if p.userAgent != "" {
		clone.Header.Set("User-Agent", p.userAgent)
	}
	return p.http.Do(clone)
}

// rebase moves a URL below PublicURL to the base URL. Any other URL is refused: the API key travels with the request.
func (p *Plain) rebase(from *url.URL) (*url.URL, error) {
	full := from.String()
	rest, found := strings.CutPrefix(full, PublicURL)
	if !found || (rest != "" && rest[0] != '/' && rest[0] != '?') {
		return nil, fmt.Errorf("refusing to send the API key to %s://%s: it is not the Neon API", from.Scheme, from.Host)
	}
	target, err := url.Parse(p.base.String() + rest)
	if err != nil {
		return nil, fmt.Errorf("the request's path %q is not a URL: %w", rest, err)
	}
	return target, nil
}

// noRedirect hands a redirect on as the answer: the Neon API has none, and following one would send the API key away.
func noRedirect(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}
