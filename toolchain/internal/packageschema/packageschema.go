// Package packageschema computes Pulumi package schemas from bridged providers, without any upstream documentation.
package packageschema

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/spf13/afero"
)

// Generate returns the package schema of a bridged provider as JSON. The same provider gives the same bytes.
func Generate(ctx context.Context, info tfbridge.ProviderInfo) ([]byte, error) {
	generator, err := tfgen.NewGenerator(tfgen.GeneratorOptions{
		Package:       info.Name,
		Version:       info.Version,
		Language:      tfgen.Schema,
		ProviderInfo:  info,
		Root:          afero.NewMemMapFs(),
		Sink:          diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never}),
		XInMemoryDocs: true,
		SkipExamples:  true,
	})
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", info.Name, err)
	}
	result, err := generator.Generate(ctx)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", info.Name, err)
	}
	spec := result.PackageSpec
	// The generator drops the version; the engine wants it back.
	spec.Version = info.Version
	if info.SchemaPostProcessor != nil {
		info.SchemaPostProcessor(&spec)
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", info.Name, err)
	}
	return data, nil
}
