//go:build tools

// Package tools pins the Python language host, which later releases of the sdk module no longer ship.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
