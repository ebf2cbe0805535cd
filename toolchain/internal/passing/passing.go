// Package passing marks the failures that may pass by themselves.
//
// Status codes and SQLSTATEs do not cross the engine, texts do. So the mark is part of the text; whoever runs the engine reads
// it there and tries again (tenantry/errors.py).
package passing

import "strings"

const mark = " [may pass by itself]"

// Marked is a failure's text with the mark where the failure may pass.
func Marked(text string, mayPass bool) string {
	if mayPass {
		return text + mark
	}
	return text
}

// Unmarked is a text without marks, to be part of another one.
func Unmarked(text string) string { return strings.ReplaceAll(text, mark, "") }
