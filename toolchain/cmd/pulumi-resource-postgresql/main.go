// The plugin of the Pulumi package "postgresql".
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"tenantry.dev/toolchain/internal/embedded"
	"tenantry.dev/toolchain/internal/postgresql"
	"tenantry.dev/toolchain/withheld"
)

func main() {
	if err := withheld.FromPlugin(); err != nil {
		cmdutil.ExitError(err.Error())
	}
	schema, err := embedded.Schema("postgresql")
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
	tfbridge.Main("postgresql", postgresql.Version, postgresql.Info(), schema)
}
