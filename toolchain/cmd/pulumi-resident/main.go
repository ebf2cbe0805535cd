// Command pulumi-resident does what the pulumi command does, for many stacks in one process; see package resident.
//
//	pulumi-resident DESCRIPTOR [SECONDS BEGAN]
//
// With seconds, it has a lease: it ends at once, whatever it is doing, when nobody has renewed it for so long. BEGAN is when it was
// started, in seconds since 1970; see package lease.
//
// It reads requests from standard input and answers on the descriptor: with standard output, a reader that has died would end
// this process in the middle of a step. It ends when its standard input does, after what is under way. SIGINT and SIGTERM end what is under way: after the current steps, and at once the second time.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	rprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"tenantry.dev/toolchain/internal/embedded"
	"tenantry.dev/toolchain/internal/lease"
	"tenantry.dev/toolchain/internal/neon"
	"tenantry.dev/toolchain/internal/postgresql"
	"tenantry.dev/toolchain/internal/random"
	"tenantry.dev/toolchain/internal/resident"
	"tenantry.dev/toolchain/withheld"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 && len(args) != 3 {
		return errors.New("usage: pulumi-resident DESCRIPTOR [SECONDS BEGAN]")
	}
	descriptor, err := strconv.ParseUint(args[0], 10, 16)
	if err != nil {
		return fmt.Errorf("the descriptor: %w", err)
	}
	if len(args) == 3 {
		seconds, err := strconv.ParseUint(args[1], 10, 16)
		if err != nil {
			return fmt.Errorf("the seconds of the lease: %w", err)
		}
		began, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return fmt.Errorf("the begin of the lease: %w", err)
		}
		lease.Own.Begin(time.Duration(seconds)*time.Second, time.Unix(began, 0)) //nolint:gosec // 16 bits
		lease.Watch()
	}
	cmdutil.DisableInteractive = true
	if err := withheld.FromPlugin(); err != nil {
		return err
	}
	plugins, err := plugins()
	if err != nil {
		return err
	}
	engine := resident.New(plugins)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range signals {
			engine.Stop()
		}
	}()
	return engine.Serve(ctx, os.Stdin, os.NewFile(uintptr(descriptor), "answers"))
}

// plugins are those that the program needs, but for the dynamic providers, by the names of their packages.
func plugins() (map[string]resident.Plugin, error) {
	schemas := map[string][]byte{}
	for _, name := range []string{"postgresql", "random", neon.BaseName, "neon"} {
		schema, err := embedded.Schema(name)
		if err != nil {
			return nil, err
		}
		schemas[name] = schema
	}
	return map[string]resident.Plugin{
		"postgresql": func(ctx context.Context, host *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
			info := postgresql.Info()
			return tfbridge.NewProvider(ctx, host, "postgresql", postgresql.Version, info.P, info, schemas["postgresql"]), nil
		},
		"random": func(ctx context.Context, host *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
			return pf.NewProviderServer(ctx, host, random.Info(), pf.ProviderMetadata{PackageSchema: schemas["random"]})
		},
		neon.BaseName: func(ctx context.Context, host *rprovider.HostClient) (pulumirpc.ResourceProviderServer, error) {
			return neon.Server(ctx, host, schemas[neon.BaseName], schemas["neon"])
		},
	}, nil
}
