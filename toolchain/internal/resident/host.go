package resident

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/env"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	rprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// dynamicPackage is the package whose resources are served beside the program, in Python.
const dynamicPackage = "pulumi-python"

// mostBytes is the longest message that the engine and its plugins take: 400 MB.
const mostBytes = 400 << 20

// Plugin makes a provider that serves one stack. It tells the engine through the client what it logs.
type Plugin func(context.Context, *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error)

// hosts makes the host of one operation: the engine's own, but for the plugins that are in this process, and for the dynamic
// providers at the address. Whatever else a program asks for is started as ever.
func (e *Engine) hosts(address string) engine.HostFactory {
	inner := backend.DefaultHostFactory(e.backend.GetReadOnlyCloudRegistry())
	return func(ctx context.Context, d, statusD diag.Sink, debug plugin.DebugContext) (plugin.Host, error) {
		made, err := inner(ctx, d, statusD, debug)
		if err != nil {
			return nil, err
		}
		return &host{Host: made, plugins: e.plugins, dynamic: address, booted: map[plugin.Provider]func(){}}, nil
	}
}

type host struct {
	plugin.Host
	plugins map[string]Plugin
	dynamic string

	lock   sync.Mutex
	booted map[plugin.Provider]func()
}

func (h *host) Provider(ctx *plugin.Context, descriptor workspace.PluginDescriptor, e env.Env) (plugin.Provider, error) {
	serve, ours := h.plugins[descriptor.Name]
	switch {
	case ours:
		return h.boot(ctx, descriptor.Name, serve)
	case descriptor.Name == dynamicPackage:
		connection, err := grpc.NewClient(h.dynamic, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithNoProxy(), rpcutil.GrpcChannelOptions())
		if err != nil {
			return nil, err
		}
		return h.keep(ctx, connection, func() { _ = connection.Close() }), nil
	default:
		return h.Host.Provider(ctx, descriptor, e)
	}
}

// boot serves a plugin of this process to the engine, through memory.
func (h *host) boot(ctx *plugin.Context, name string, serve Plugin) (plugin.Provider, error) {
	told, err := rprovider.NewHostClient(h.ServerAddr())
	if err != nil {
		return nil, err
	}
	served, err := serve(ctx.Base(), told)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("plugin %s: %w", name, err), told.Close())
	}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.UnaryInterceptor(recovering(name)), grpc.MaxRecvMsgSize(mostBytes))
	pulumirpc.RegisterResourceProviderServer(server, served)
	go func() { _ = server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///"+name, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		rpcutil.GrpcChannelOptions())
	if err != nil {
		server.Stop()
		return nil, errors.Join(err, told.Close())
	}
	return h.keep(ctx, connection, func() {
		_ = connection.Close()
		server.Stop()
		_ = told.Close()
	}), nil
}

func (h *host) keep(ctx *plugin.Context, connection *grpc.ClientConn, end func()) plugin.Provider {
	provider := plugin.NewProviderWithClient(ctx, pulumirpc.NewResourceProviderClient(connection), false)
	h.lock.Lock()
	defer h.lock.Unlock()
	h.booted[provider] = end
	return provider
}

// SignalCancellation asks the plugins to end what they do.
func (h *host) SignalCancellation() error {
	h.lock.Lock()
	var failed []error
	for provider := range h.booted {
		failed = append(failed, provider.SignalCancellation(context.Background()))
	}
	h.lock.Unlock()
	return errors.Join(append(failed, h.Host.SignalCancellation())...)
}

// Close ends what was booted for the operation.
func (h *host) Close() error {
	err := h.Host.Close()
	h.lock.Lock()
	defer h.lock.Unlock()
	for provider, end := range h.booted {
		end()
		delete(h.booted, provider)
	}
	return err
}

// recovering makes a failure of one step out of a panic in it: the process serves other stacks too.
func recovering(name string) grpc.UnaryServerInterceptor {
	return func(
		ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (answer any, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = status.Errorf(codes.Internal, "plugin %s panicked: %v\n%s", name, cause, debug.Stack())
			}
		}()
		return handler(ctx, request)
	}
}
