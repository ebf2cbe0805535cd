package neon

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	rprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Server makes the server of the package, before it is told which provider to be.
func Server(ctx context.Context, host *rprovider.HostClient, base, parameterized []byte) (pulumirpc.ResourceProviderServer, error) {
	server, err := pf.NewProviderServer(ctx, host, BaseInfo(), Metadata(base, parameterized))
	if err != nil {
		return nil, err
	}
	return cancellable{server}, nil
}

// cancellable hears the engine's request to end what is under way, to which the bridge is deaf.
type cancellable struct {
	pulumirpc.ResourceProviderServer
}

func (s cancellable) Cancel(ctx context.Context, request *emptypb.Empty) (*emptypb.Empty, error) {
	Interrupt()
	return s.ResourceProviderServer.Cancel(ctx, request)
}
