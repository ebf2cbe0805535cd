package neonhttp

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// fullBurst is how many requests may go out at once: Neon bears 40 a second on one route.
const fullBurst = 20

// Settings are what the environment says about how Neon is asked.
type Settings struct {
	// PerMinute requests of all processes together; Neon allows 700 (NEON_API_RPM).
	PerMinute float64
	// Share of it, and of the burst, that this process has (NEON_API_SHARE).
	Share float64
	// RetryFor bounds how long one call is repeated while Neon says that it is busy (NEON_RETRY_SECONDS).
	RetryFor time.Duration
	// Attempts of a call that gets no answer, or a broken one, where it may be repeated (NEON_RETRY_ATTEMPTS).
	Attempts int
	// Poll is the pause between two looks at operations (NEON_POLL_SECONDS).
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
}

// number reads one variable. An empty one has the default.
type number struct {
	name               string
	standard, min, max float64
	whole              bool
}

var (
	perMinute  = number{"NEON_API_RPM", 300, 1, 6000, false}
	retryFor   = number{"NEON_RETRY_SECONDS", 300, 0, 3600, false}
	attempts   = number{"NEON_RETRY_ATTEMPTS", 5, 1, 20, true}
	poll       = number{"NEON_POLL_SECONDS", 1, 0.05, 60, false}
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

func (s Settings) rate() rate.Limit { return rate.Limit(s.PerMinute * s.Share / 60) }

func (s Settings) burst() int { return max(1, int(fullBurst*s.Share)) }
