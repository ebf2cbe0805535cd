// Command schemas writes what the build needs and does not commit, the package schemas, and the one thing that is
// generated and committed, the Python SDK of the Neon package.
//
//	schemas embed DIR   write the package schemas that the plugins embed
//	schemas sdk DIR     write the Python SDK of the Neon package
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"tenantry.dev/toolchain/internal/neon"
	"tenantry.dev/toolchain/internal/packageschema"
	"tenantry.dev/toolchain/internal/postgresql"
	"tenantry.dev/toolchain/internal/random"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemas: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: schemas embed|sdk DIR")
	}
	switch args[0] {
	case "embed":
		return embed(ctx, args[1])
	case "sdk":
		return sdk(ctx, args[1])
	default:
		return fmt.Errorf("%q is neither embed nor sdk", args[0])
	}
}

func embed(ctx context.Context, dir string) error {
	parameterized, err := neon.Info(ctx)
	if err != nil {
		return err
	}
	for name, info := range map[string]tfbridge.ProviderInfo{
		"random":      random.Info(),
		"postgresql":  postgresql.Info(),
		neon.BaseName: neon.BaseInfo(),
		"neon":        parameterized,
	} {
		data, err := packageschema.Generate(ctx, info)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
