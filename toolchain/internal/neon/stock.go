//go:build stock

package neon

// A plugin that is built with this tag is the upstream provider, told where the API is: the tests of faults show with it
// that they can fail.
func init() { stock = true }
