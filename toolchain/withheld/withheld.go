// Package withheld keeps property values, secrets among them, out of the logs and traces of the engine and its plugins.
//
// Upstream replaces what is marked secret, but prints some values where the mark is not there: when it steps into a secret, before
// it marks what a provider answered, and within a provider, which is given its inputs in clear.
package withheld

import (
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
)

// messages are the formats of the messages that print a value, and what is printed instead.
//
// A message reaches the log's secret filter as the format that it is called with, so a format can be replaced like any secret. With an
// explicit index, fmt does not report the arguments that are left over. Of two formats with the same beginning the longer one comes first.
var messages = [][2]string{
	// sdk/v3/go/common/resource/plugin/rpc.go, -v=9
	{"Marshaling property for RPC[%s]: %s=%v", "Marshaling property for RPC[%[1]s]: %[2]s (withheld)"},
	{"Unmarshaling property for RPC[%s]: %s=%v", "Unmarshaling property for RPC[%[1]s]: %[2]s (withheld)"},
	// pulumi-terraform-bridge/v3/pkg/tfbridge/schema.go, -v=5 and -v=9 with --logflow
	{"Terraform input %v = %#v", "Terraform input %[1]v (withheld)"},
	{"Created Terraform input: %v = %v (from %s)", "Created Terraform input: %[1]v (withheld, from %[3]s)"},
	{"Created Terraform input: %v = %v", "Created Terraform input: %[1]v (withheld)"},
}

// FromLogs leaves the values of properties out of what is logged from here on.
func FromLogs() {
	for _, message := range messages {
		logging.AddGlobalSecretFilter([]string{message[0]}, message[1])
	}
}

// noPayloads is the engine's own switch: without it a trace holds each request between engine, program and plugins in clear.
const noPayloads = "PULUMI_TRACING_NO_PAYLOADS"

// FromTraces leaves requests and answers out of the traces of this process and those that it starts.
func FromTraces() error {
	return os.Setenv(noPayloads, "true")
}

// otelEndpoint is where a plugin sends its spans for `--otel-traces`.
const otelEndpoint = "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"

// FromPlugin does both for a plugin, and takes the ways to a trace from it: the bridge writes a provider's inputs into its spans.
//
// It has to come before the plugin reads its arguments.
func FromPlugin() error {
	FromLogs()
	os.Args = slices.Concat(os.Args[:1], untraced(os.Args[1:]))
	return os.Unsetenv(otelEndpoint)
}

// untraced returns the arguments without `-tracing ENDPOINT` in any of the forms that package flag knows.
func untraced(arguments []string) []string {
	var left []string
	for i := 0; i < len(arguments); i++ {
		name, _, joined := strings.Cut(strings.TrimPrefix(arguments[i], "-"), "=")
		switch {
		case name != "-tracing" && name != "tracing" || !strings.HasPrefix(arguments[i], "-"):
			left = append(left, arguments[i])
		case !joined:
			i++ // its value
		}
	}
	return left
}
