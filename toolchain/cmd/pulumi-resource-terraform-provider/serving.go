package main

import (
	"context"
	"os"
	"slices"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	rprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"tenantry.dev/toolchain/internal/abandoned"
	"tenantry.dev/toolchain/internal/neon"
)

// serve answers the engine until it is done with the plugin.
func serve(ctx context.Context, base, parameterized []byte) error {
	info, metadata := neon.BaseInfo(), neon.Metadata(base, parameterized)
	if slices.ContainsFunc(os.Args[1:], func(arg string) bool { return arg == "--version" || arg == "--get-provider-info" }) {
		pf.Main(ctx, neon.BaseName, info, metadata)
		return nil
	}
	abandoned.Watch(end)
	return rprovider.Main(neon.BaseName, func(host *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		return neon.Server(ctx, host, base, parameterized)
	})
}

// end ends the process of a plugin whose engine is no more: nobody is left to tell, and whoever starts the next run waits for
// what this one holds. What was sent is still answered, for as long as an answer may take.
func end() {
	neon.Interrupt()
	neon.Finish()
	os.Exit(1)
}
