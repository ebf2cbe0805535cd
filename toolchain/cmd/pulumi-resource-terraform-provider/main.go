// The plugin of the Pulumi package "terraform-provider", for the one parameter kislerdm/neon.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"tenantry.dev/toolchain/internal/embedded"
	"tenantry.dev/toolchain/internal/neon"
	"tenantry.dev/toolchain/withheld"
)

// identityFlag makes the plugin say that it is this build and not the official one, which does not know NEON_API_URL.
const identityFlag = "--tenantry"

func main() {
	if len(os.Args) == 2 && os.Args[1] == identityFlag {
		fmt.Println("tenantry kislerdm/neon " + neon.Version)
		return
	}
	if err := withheld.FromPlugin(); err != nil {
		cmdutil.ExitError(err.Error())
	}
	base, err := embedded.Schema(neon.BaseName)
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
	parameterized, err := embedded.Schema("neon")
	if err != nil {
		cmdutil.ExitError(err.Error())
	}
	if err := serve(context.Background(), base, parameterized); err != nil {
		cmdutil.ExitError(err.Error())
	}
}
