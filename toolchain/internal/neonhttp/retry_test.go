package neonhttp

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBusyIsAskedAgainForEveryMethod(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "PATCH", "DELETE", "POST"} {
		for _, status := range []int{423, 429, 503} {
			c := newCloud(t)
			c.inside["/projects/p-1"] = object{"project": object{}}
			c.inside["POST /projects/p-1"] = object{"x": "y"}
			c.trouble(method+" /projects/p-1", trouble{status: status}, trouble{status: status})
			if _, err := send(t, c.client(testSettings(t)), Run{}, method, "/projects/p-1", ""); err != nil || c.count(method+" /projects/p-1") != 3 {
				t.Errorf("%s %d: %v, %d sent", method, status, err, c.count(method+" /projects/p-1"))
			}
		}
	}
}

func TestOnlyReadsAreAskedAgainAfterAFault(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]trouble{
		"500": {status: 500}, "502": {status: 502, body: "<html>"}, "504": {status: 504}, "dropped": {drop: true},
		"cut short": {status: 200, body: `{"project":`},
	} {
		for method, want := range map[string]int{"GET": 2, "PATCH": 1, "DELETE": 1, "PUT": 1} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t)
				c.inside["/projects/p-1"] = object{"project": object{}}
				c.trouble(method+" /projects/p-1", what)
				_, err := send(t, c.client(testSettings(t)), Run{}, method, "/projects/p-1", "{}")
				if (err == nil) != (method == "GET") || c.count(method+" /projects/p-1") != want {
					t.Errorf("%v, %d sent", err, c.count(method+" /projects/p-1"))
				}
			})
		}
	}
}

func TestAReadIsGivenUpAfterSomeAttempts(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	settings.Attempts = 3
	for range 5 {
		c.trouble("GET /projects/p-1", trouble{status: 500, body: `{"message":"oops"}`})
	}
	_, err := send(t, c.client(settings), Run{}, "GET", "/projects/p-1", "")
	if err == nil || c.count("GET /projects/p-1") != 3 || !strings.Contains(err.Error(), "neonstatus.com") {
		t.Errorf("%v", err)
	}
}

func TestNobodyListensAndNothingIsLost(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.Close()
	_, err := send(t, c.client(settings), Run{}, "PATCH", "/projects/p-1", "{}")
	if err == nil || len(c.clock.slept) != settings.Attempts-1 || strings.Contains(err.Error(), "not known") {
		t.Errorf("%v after %v", err, c.clock.slept)
	}
	if _, _, err := create(t, c, settings); err == nil || len(intentFiles(t, settings)) != 0 {
		t.Errorf("%v", err)
	}
}

func TestTheBudgetBoundsHowLongBusyIsBorne(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	settings.RetryFor = 30 * time.Second
	for range 100 {
		c.trouble("PATCH /projects/p-1", trouble{status: 423, body: `{"message":"busy"}`})
	}
	_, err := send(t, c.client(settings), Run{}, "PATCH", "/projects/p-1", "{}")
	if err == nil || c.clock.total() > settings.RetryFor || c.clock.total() < settings.RetryFor/2 {
		t.Errorf("%v after %v", err, c.clock.total())
	}
}

func TestRetryAfterIsKeptTo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": 0, "1.5": 1500 * time.Millisecond, "86400": longestWish,
		now.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):      0,
		now.Add(time.Hour).Format(http.TimeFormat):       longestWish,
	} {
		if got, ok := wished(http.Header{"Retry-After": {value}}, now); !ok || got != want {
			t.Errorf("%q: %v %v", value, got, ok)
		}
	}
	for _, value := range []string{"", "soon", "-1"} {
		if got, ok := wished(http.Header{"Retry-After": {value}}, now); ok {
			t.Errorf("%q: %v", value, got)
		}
	}
	c := newCloud(t)
	c.inside["/projects/p-1"] = object{}
	c.trouble("GET /projects/p-1", trouble{status: 429, header: map[string]string{"Retry-After": "20"}})
	if _, err := send(t, c.client(testSettings(t)), Run{}, "GET", "/projects/p-1", ""); err != nil || c.clock.total() < 20*time.Second || c.clock.total() > 25*time.Second {
		t.Errorf("%v after %v", err, c.clock.total())
	}
}

func TestPausesGrowAndDiffer(t *testing.T) {
	t.Parallel()
	r := &retry{clock: newStopped(), random: func() float64 { return 0 }}
	low := r.begin()
	high := (&retry{clock: newStopped(), random: func() float64 { return 1 }}).begin()
	for count, most := range []time.Duration{500, 1000, 2000, 4000, 8000, 10000, 10000} {
		most *= time.Millisecond
		if low.growing(count) != most/2 || high.growing(count) != most {
			t.Errorf("%d: %v to %v", count, low.growing(count), high.growing(count))
		}
	}
}

func TestACancelledCallIsNotSentAgain(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.trouble("GET /projects/p-1", trouble{status: 423}, trouble{status: 423})
	ctx, cancel := context.WithCancel(context.Background())
	c.clock.during = func(time.Duration) { cancel() }
	_, err := c.client(testSettings(t)).For(ctx, Run{}).Do(request(t, "GET", PublicURL+"/projects/p-1", ""))
	if err == nil || c.count("GET /projects/p-1") != 1 {
		t.Errorf("%v, %d sent", err, c.count("GET /projects/p-1"))
	}
}
