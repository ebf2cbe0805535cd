// The plugin of the Pulumi package "random".
package main

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"tenantry.dev/toolchain/internal/embedded"
	"tenantry.dev/toolchain/internal/random"
	"tenantry.dev/toolchain/withheld"
)

func main() {
	if err := withheld.FromPlugin(); err != nil {
		cmdutil.ExitError(err.Error())
	}
	schema, err := embedded.Schema("random")
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
	pf.Main(context.Background(), "random", random.Info(), pf.ProviderMetadata{PackageSchema: schema})
}
