package neonhttp

import (
	"strings"
	"testing"
	"time"
)

func from(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestTheDefaultsAreWellUnderNeonsLimits(t *testing.T) {
	t.Parallel()
	s, err := ReadSettings(from(map[string]string{"TENANTRY_CACHE": "/cache"}))
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		PerMinute: 660, Share: 1, RetryFor: 5 * time.Minute, Attempts: 5, Poll: 10 * time.Second, OperationsFor: 10 * time.Minute,
		LostFor: 10 * time.Second, IntentFor: time.Minute, StateFolder: ".tenantry/neon",
		AccountFolder: "/cache/neon",
	}
	if s != want {
		t.Errorf("%+v", s)
	}
	if inAMinute := float64(s.burst()) + s.PerMinute; inAMinute > 680 {
		t.Errorf("%v requests in a minute", inAMinute)
	}
	if inASecond := float64(s.burst()) + s.PerMinute/60; inASecond > 40 {
		t.Errorf("%v requests in a second", inASecond)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	t.Parallel()
	s, err := ReadSettings(from(map[string]string{
		"NEON_API_RPM": "600", "NEON_API_SHARE": "1/8", "NEON_RETRY_SECONDS": "0", "NEON_RETRY_ATTEMPTS": "2", "NEON_POLL_SECONDS": "0.5",
		"NEON_OPERATION_SECONDS": "30", "NEON_LOST_SECONDS": "1", "NEON_INTENT_SECONDS": "2", "NEON_STATE_FOLDER": "/var/lib/x", "XDG_CACHE_HOME": "/home/me/caches",
	}))
	want := Settings{
		PerMinute: 600, Share: 0.125, Attempts: 2, Poll: 500 * time.Millisecond, OperationsFor: 30 * time.Second,
		LostFor: time.Second, IntentFor: 2 * time.Second, StateFolder: "/var/lib/x",
		AccountFolder: "/home/me/caches/tenantry/neon",
	}
	if err != nil || s != want {
		t.Errorf("%v %+v", err, s)
	}
	if s, err = ReadSettings(from(map[string]string{"NEON_API_SHARE": " 0.125 "})); err != nil || s.Share != 0.125 {
		t.Errorf("%v %+v", err, s)
	}
}

func TestABadValueIsRefusedWithItsNameAndRange(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"NEON_API_RPM": {"abc", "0", "-1", "6001", "NaN", "inf"}, "NEON_RETRY_SECONDS": {"-1", "3601"}, "NEON_RETRY_ATTEMPTS": {"0", "1.5", "21"},
		"NEON_POLL_SECONDS": {"0", "61"}, "NEON_OPERATION_SECONDS": {"0"}, "NEON_LOST_SECONDS": {"-1"}, "NEON_INTENT_SECONDS": {"601"},
		"NEON_API_SHARE": {"0", "2", "1/0", "x/2", "1/", "-1/-8/2", "0/0"},
	} {
		for _, value := range values {
			_, err := ReadSettings(from(map[string]string{name: value}))
			if err == nil || !strings.HasPrefix(err.Error(), name+": ") || !strings.Contains(err.Error(), " from ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}
