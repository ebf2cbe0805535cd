// Package maxprocs stands in for go.uber.org/automaxprocs/maxprocs in the engine, whose main function calls it before anything else.
//
// Since Go 1.25 the runtime itself keeps GOMAXPROCS to the CPU limit of its container, which is all that upstream's package does.
package maxprocs

import "tenantry.dev/toolchain/withheld"

// Set keeps property values out of the engine's logs and traces. There is nothing to undo.
func Set() (func(), error) {
	withheld.FromLogs()
	return func() {}, withheld.FromTraces()
}
