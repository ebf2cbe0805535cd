package postgresql

import (
	"database/sql"
	"slices"
	"strconv"
	"testing"
)

// durations are texts that PostgreSQL takes for a timeout, and the milliseconds that it makes of them.
var durations = map[string]int{
	"0": 0, "-0": 0, "10000": 10_000, "+5": 5, " 7 ": 7, "0x10": 16, "0x1d": 29, "010": 8, "1e3": 1000, "2.5": 2, "3.5": 4, ".5s": 500,
	"1d": 86_400_000, "1h": 3_600_000, "2 min": 120_000, "1.5min": 90_000, "10s\t": 10_000, "3ms": 3,
	"500us": 0, "501us": 1, "1501us": 2, "0.0001h": 0, "1.01 min": 61_000, "1.0001s": 1000, "24.8d": 2_142_000_000, "2147483647": 2_147_483_647,
}

var notDurations = []string{
	"", " ", "soon", "10 weeks", "1H", "1MS", "1.2.3s", "1 s s", "08", "0x", "1e", "-1", "2147483648", "25d", "1e400", "1_000", "0b1s", "nan", "inf",
}

func TestADurationIsReadAsPostgresReadsIt(t *testing.T) {
	t.Parallel()
	for text, want := range durations {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%q: %d, %t; want %d", text, got, ok, want)
		}
	}
	for _, text := range notDurations {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q was taken for %d ms", text, got)
		}
	}
}

func TestDurationsAreThoseOfTheServer(t *testing.T) {
	s := connect(t)
	c, err := connectionOf(s.provider.Meta())
	if err != nil {
		t.Fatal(err)
	}
	// A setting in milliseconds with the same range, and without effect inside of a transaction.
	const read = "SELECT setting FROM pg_settings WHERE name = 'idle_session_timeout'"
	ask := func(text string) (setting string, err error) {
		err = c.inTransaction("", func(txn *sql.Tx) error {
			if _, err := txn.Exec("SELECT set_config('idle_session_timeout', $1, true)", text); err != nil {
				return err
			}
			return txn.QueryRow(read).Scan(&setting)
		})
		return setting, err
	}
	for text, want := range durations {
		if got, err := ask(text); err != nil || got != strconv.Itoa(want) {
			t.Errorf("%q: %s, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range notDurations {
		if got, err := ask(text); err == nil {
			t.Errorf("the server takes %q for %s ms", text, got)
		}
	}
}

func TestATimeoutInARolesSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings []string
		want     int
	}{
		"not set":               {nil, 0},
		"with a unit":           {[]string{"search_path=app", "statement_timeout=1h"}, 3_600_000},
		"unreadable":            {[]string{"statement_timeout=soon"}, unreadable},
		"another's that begins": {[]string{"statement_timeout.x=1", "statement_timeout=2"}, 2},
	} {
		if got := timeoutOf(c.settings, statementTimeout); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestASearchPathIsSplitAsPostgresSplitsIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"app, public":      {"app", "public"},
		" app,public ":     {"app", "public"},
		`"$user", public`:  {"$user", "public"},
		`"My, ""own""", x`: {`My, "own"`, "x"},
		`a"b`:              {`a"b`},
		`""`:               {""},
		"":                 {""},
		`"unended`:         {`"unended`},
		"app,":             {"app,"},
		"two words":        {"two words"},
		`"a"b`:             {`"a"b`},
	} {
		if got := parseSearchPath(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
