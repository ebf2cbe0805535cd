package main

import (
	"context"
	"os"
	"slices"
	"time"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	rprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"tenantry.dev/toolchain/internal/neon"
)

// engineLook is how often the plugin looks whether its engine still lives. The bridge's own health check takes minutes.
const engineLook = time.Second

// serve answers the engine until it is done with the plugin.
func serve(ctx context.Context, base, parameterized []byte) error {
	info, metadata := neon.BaseInfo(), neon.Metadata(base, parameterized)
	if slices.ContainsFunc(os.Args[1:], func(arg string) bool { return arg == "--version" || arg == "--get-provider-info" }) {
		pf.Main(ctx, neon.BaseName, info, metadata)
		return nil
	}
	go endWithEngine(os.Getppid())
	return rprovider.Main(neon.BaseName, func(host *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		server, err := pf.NewProviderServer(ctx, host, info, metadata)
		if err != nil {
			return nil, err
		}
		return cancellable{server}, nil
	})
}

// cancellable hears the engine's request to end what is under way, to which the bridge is deaf.
type cancellable struct {
	pulumirpc.ResourceProviderServer
}

func (s cancellable) Cancel(ctx context.Context, request *emptypb.Empty) (*emptypb.Empty, error) {
	neon.Interrupt()
	return s.ResourceProviderServer.Cancel(ctx, request)
}

// endWithEngine ends the process when the engine that started it is no more: nobody is left to tell, and whoever starts
// the next run waits for what this one holds. What was sent is still answered, for as long as an answer may take.
func endWithEngine(engine int) {
	for os.Getppid() == engine {
		time.Sleep(engineLook)
	}
	neon.Interrupt()
	neon.Finish()
	os.Exit(1)
}
