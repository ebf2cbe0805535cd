package postgresql

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// unreadable stands for a timeout that cannot be read. It differs from every value that may be declared, so that the
// next update sets the declared one.
const unreadable = -1

// settingOf returns the text of a setting in pg_roles.rolconfig, whose items are name=text.
func settingOf(settings []string, name string) (string, bool) {
	for _, setting := range settings {
		if text, found := strings.CutPrefix(setting, name+"="); found {
			return text, true
		}
	}
	return "", false
}

// timeoutOf returns a timeout in milliseconds, 0 where it is not set.
func timeoutOf(settings []string, name string) int {
	text, found := settingOf(settings, name)
	if !found {
		return 0
	}
	milliseconds, ok := parseDuration(text)
	if !ok {
		return unreadable
	}
	return milliseconds
}

var duration = regexp.MustCompile(
	`^[\s\v]*([+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))[\s\v]*(us|ms|s|min|h|d)?[\s\v]*$`,
)

// durationUnits are PostgreSQL's, in milliseconds, from large to small (documentation, 19.1.1).
var durationUnits = []struct {
	name         string
	milliseconds float64
}{{"d", 86_400_000}, {"h", 3_600_000}, {"min", 60_000}, {"s", 1000}, {"ms", 1}, {"us", 0.001}}

// parseDuration reads a timeout as PostgreSQL does (parse_int in guc.c): it keeps a role's settings as they were
// written, in milliseconds if there is no unit. A fraction is rounded to a multiple of the next smaller unit, the
// result to milliseconds. It is false for a text that is none, and for a time beyond the settings' range.
func parseDuration(text string) (int, bool) {
	parts := duration.FindStringSubmatch(text)
	if parts == nil {
		return 0, false
	}
	value, ok := parseNumber(parts[1])
	if !ok {
		return 0, false
	}
	for i, unit := range durationUnits {
		if unit.name != parts[2] {
			continue
		}
		value *= unit.milliseconds
		if i+1 < len(durationUnits) {
			next := durationUnits[i+1].milliseconds
			value = math.RoundToEven(value/next) * next
		}
	}
	value = math.RoundToEven(value)
	return int(value), value >= 0 && value <= math.MaxInt32
}

// parseNumber reads an integer with the prefixes of C (0x for hexadecimal, 0 for octal), or a decimal number.
func parseNumber(text string) (float64, bool) {
	if strings.ContainsAny(text, ".eE") && !strings.ContainsAny(text, "xX") {
		number, err := strconv.ParseFloat(text, 64)
		return number, err == nil
	}
	number, err := strconv.ParseInt(text, 0, 64)
	return float64(number), err == nil
}

var pathElement = regexp.MustCompile(`^[\s\v]*(?:"((?:[^"]|"")*)"|([^",\s\v][^,\s\v]*))[\s\v]*(,|$)`)

// parseSearchPath splits a search path as PostgreSQL does (SplitIdentifierString in varlena.c), without the quotes of
// names that need them. A text that cannot be split is returned whole. An empty path is one empty name, which is how
// PostgreSQL keeps SET search_path TO ”; it must differ from a path that is not set.
func parseSearchPath(text string) []string {
	var path []string
	for rest, more := text, true; more; {
		parts := pathElement.FindStringSubmatch(rest)
		if parts == nil {
			return []string{text}
		}
		path = append(path, strings.ReplaceAll(parts[1], `""`, `"`)+parts[2])
		rest, more = rest[len(parts[0]):], parts[3] == ","
	}
	return path
}
