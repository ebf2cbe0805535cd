package neonhttp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWhichFailuresAreSaidToPass(t *testing.T) {
	t.Parallel()
	c := call{method: "PATCH", path: "/projects/p-1"}
	for text, each := range map[string]struct {
		err    error
		passes bool
	}{
		"locked":        {refused(c, answer{status: http.StatusLocked}), true},
		"too many":      {refused(c, answer{status: http.StatusTooManyRequests}), true},
		"disturbed":     {refused(c, answer{status: http.StatusBadGateway}), true},
		"wrong":         {refused(c, answer{status: http.StatusUnprocessableEntity}), false},
		"no key":        {refused(c, answer{status: http.StatusUnauthorized}), false},
		"lost":          {failed(c, &lost{cause: errors.New("EOF")}), true},
		"unsent":        {failed(c, &unsent{errors.New("refused")}), true},
		"cancelled":     {failed(c, &lost{cause: context.Canceled}), false},
		"not its form":  {failed(c, errors.New("the answer does not have the form that Neon documents")), false},
		"too slow":      {tooSlow(c, operation{}, time.Minute), true},
		"failed itself": {operationFailed(c, operation{}), false},
	} {
		if strings.HasSuffix(each.err.Error(), " [may pass by itself]") != each.passes {
			t.Errorf("%s: %s", text, each.err)
		}
	}
}

func TestAMarkStandsOnceAndAtTheEnd(t *testing.T) {
	t.Parallel()
	c := call{method: "POST", path: "/projects"}
	why := errors.Join(outcome(c, answer{status: http.StatusBadGateway}, nil), refused(c, answer{status: http.StatusLocked}))
	if text := unknown(c, wantedProject{Name: "p"}, why).Error(); strings.Count(text, "[may pass by itself]") != 1 {
		t.Error(text)
	}
}
