package neonhttp

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fullBurst is how many requests may go out at once. With the standard rate that makes at most 680 in any minute of the
// 700 that Neon allows, and 31 in any second of the 40 that it bears on one route; the rest is left to look-ups of
// commands (neon.com/docs/reference/api/key-concepts, "API rate limits").
const fullBurst = 20

// Settings are what the environment says about how Neon is asked.
type Settings struct {
	// PerMinute requests of all processes of this machine that use the key (NEON_API_RPM).
	PerMinute float64
	// Share of it, and of the burst, that this machine has (NEON_API_SHARE).
	Share float64
	// RetryFor bounds how long one call is repeated while Neon says that it is busy (NEON_RETRY_SECONDS).
	RetryFor time.Duration
	// Attempts of a call that gets no answer, or a broken one, where it may be repeated (NEON_RETRY_ATTEMPTS).
	Attempts int
	// Poll is the longest pause between two looks at operations (NEON_POLL_SECONDS).
	Poll time.Duration
	// OperationsFor bounds how long the operations of one call are waited for (NEON_OPERATION_SECONDS).
	OperationsFor time.Duration
	// LostFor is how long a project whose create was not answered is looked for before it is asked for again
	// (NEON_LOST_SECONDS).
	LostFor time.Duration
	// IntentFor is how long the create of a process that ended meanwhile may still land (NEON_INTENT_SECONDS).
	IntentFor time.Duration
	// StateFolder holds the intents (NEON_STATE_FOLDER).
	StateFolder string
	// AccountFolder holds what all processes of this user share about a key: below TENANTRY_CACHE.
	AccountFolder string
}

// number reads one variable. An empty one has the default.
type number struct {
	name               string
	standard, min, max float64
	whole              bool
}

var (
	perMinute  = number{"NEON_API_RPM", 660, 1, 6000, false}
	retryFor   = number{"NEON_RETRY_SECONDS", 300, 0, 3600, false}
	attempts   = number{"NEON_RETRY_ATTEMPTS", 5, 1, 20, true}
	poll       = number{"NEON_POLL_SECONDS", 10, 0.05, 60, false}
	operations = number{"NEON_OPERATION_SECONDS", 600, 1, 7200, false}
	lostFor    = number{"NEON_LOST_SECONDS", 10, 0, 300, false}
	intentFor  = number{"NEON_INTENT_SECONDS", 60, 0, 600, false}
)

const (
	shareVariable  = "NEON_API_SHARE"
	folderVariable = "NEON_STATE_FOLDER"
	defaultFolder  = ".tenantry/neon"
)

// ReadSettings reads the settings from the environment. It fails with the variable's name and what it may be.
func ReadSettings(getenv func(string) string) (Settings, error) {
	var firstProblem error
	read := func(n number) float64 {
		value, err := n.read(getenv(n.name))
		if err != nil && firstProblem == nil {
			firstProblem = err
		}
		return value
	}
	seconds := func(n number) time.Duration { return time.Duration(read(n) * float64(time.Second)) }
	settings := Settings{
		PerMinute:     read(perMinute),
		RetryFor:      seconds(retryFor),
		Attempts:      int(read(attempts)),
		Poll:          seconds(poll),
		OperationsFor: seconds(operations),
		LostFor:       seconds(lostFor),
		IntentFor:     seconds(intentFor),
		StateFolder:   getenv(folderVariable),
		AccountFolder: accountFolder(getenv),
	}
	if firstProblem != nil {
		return Settings{}, firstProblem
	}
	share, err := readShare(getenv(shareVariable))
	if err != nil {
		return Settings{}, err
	}
	settings.Share = share
	if settings.StateFolder == "" {
		settings.StateFolder = filepath.FromSlash(defaultFolder)
	}
	return settings, nil
}

func (n number) read(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return n.standard, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	kind := "a number"
	if n.whole {
		kind = "a whole number"
	}
	if err != nil || math.IsNaN(value) || value < n.min || value > n.max || (n.whole && value != math.Trunc(value)) {
		return 0, fmt.Errorf("%s: %q is not allowed: it must be %s from %v to %v (%v by default)",
			n.name, text, kind, n.min, n.max, n.standard)
	}
	return value, nil
}

// readShare reads a fraction: "1/8" or "0.125".
func readShare(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 1, nil
	}
	over, under, isFraction := strings.Cut(text, "/")
	share, err := strconv.ParseFloat(strings.TrimSpace(over), 64)
	if err == nil && isFraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(strings.TrimSpace(under), 64)
		share /= divisor
	}
	// Not a number, and a division by zero, are caught by the comparisons.
	if err != nil || !(share >= 0.001 && share <= 1) {
		return 0, fmt.Errorf("%s: %q is not allowed: it must be a fraction from 0.001 to 1, such as 1/8 or 0.125 (1 by default)",
			shareVariable, text)
	}
	return share, nil
}

// accountFolder is in the folder that tenantry keeps the engine in. An empty one cannot be used, which is told then.
func accountFolder(getenv func(string) string) string {
	if cache := getenv("TENANTRY_CACHE"); cache != "" {
		return filepath.Join(cache, "neon")
	}
	cache := getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "tenantry", "neon")
}

// interval is the time between two requests at the full rate.
func (s Settings) interval() time.Duration {
	return time.Duration(float64(time.Minute) / (s.PerMinute * s.Share))
}

func (s Settings) burst() int { return max(1, int(fullBurst*s.Share)) }

// lead is how far requests of one burst come ahead of their even spacing.
func (s Settings) lead() time.Duration { return time.Duration(s.burst()-1) * s.interval() }
