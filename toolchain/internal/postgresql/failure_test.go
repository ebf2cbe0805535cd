package postgresql

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

func TestWhichFailuresAreSaidToPass(t *testing.T) {
	t.Parallel()
	c := &connection{}
	d := Provider().ResourcesMap["postgresql_schema"].TestResourceData()
	for text, each := range map[string]struct {
		err    error
		passes bool
	}{
		"the server restarts": {&pq.Error{Code: "57P01"}, true},
		"a lock":              {&pq.Error{Code: "55P03"}, true},
		"no right":            {&pq.Error{Code: "42501"}, false},
		"the session ended":   {io.EOF, true},
		"tried for long":      {&exhaustedError{io.EOF, time.Second}, true},
		"our own":             {errors.New("its owner is a, not b"), false},
	} {
		if said := c.failed(d, each.err).Error(); strings.HasSuffix(said, " [may pass by itself]") != each.passes {
			t.Errorf("%s: %s", text, said)
		}
	}
}
