//go:build tools

// Package tools pins the Pulumi CLI, which no package of this module imports.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
