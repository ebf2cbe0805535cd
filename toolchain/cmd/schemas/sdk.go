package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"tenantry.dev/toolchain/internal/neon"
	"tenantry.dev/toolchain/internal/packageschema"
)

func sdk(ctx context.Context, dir string) error {
	info, err := neon.Info(ctx)
	if err != nil {
		return err
	}
	data, err := packageschema.Generate(ctx, info)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(data, &spec); err != nil {
		return err
	}
	pkg, diags, err := schema.BindSpec(spec, noLoader{}, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if diags.HasErrors() {
		return diags
	}
	files, err := python.GeneratePackage("pulumi-language-python", pkg, nil, nil)
	if err != nil {
		return err
	}
	if err := fixVersion(files); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// versionByMetadata is the part of the generated _utilities.py that finds out the package's own version.
var versionByMetadata = regexp.MustCompile(`(?s)from parver import Version as PEP440Version\n(.*?)` +
	`def _get_semver_version\(\):\n.*?\n(# Determine the version once[^\n]*\n_version = )_get_semver_version\(\)\n`)

// fixVersion writes the version into _utilities.py. The generator's own way reads it from the metadata of an installed
// distribution, by a library that nothing else needs: with the version in place, the SDK works from its folder.
func fixVersion(files map[string][]byte) error {
	const utilities, project = "pulumi_neon/_utilities.py", "pyproject.toml"
	literal := []byte("${1}${2}SemverVersion.parse(\"" + neon.Version + "\")\n")
	fixed := versionByMetadata.ReplaceAll(files[utilities], literal)
	if bytes.Equal(fixed, files[utilities]) {
		return fmt.Errorf("%s: the generator no longer reads the version as expected: adapt fixVersion", utilities)
	}
	files[utilities] = fixed
	files[project] = bytes.Replace(files[project], []byte(`"parver>=0.2.1", `), nil, 1)
	return nil
}

// noLoader refuses to load other packages: the Neon package refers to none.
type noLoader struct{}

func (noLoader) LoadPackage(pkg string, _ *semver.Version) (*schema.Package, error) {
	return nil, fmt.Errorf("the schema refers to another package: %s", pkg)
}

func (noLoader) LoadPackageV2(_ context.Context, descriptor *schema.PackageDescriptor) (*schema.Package, error) {
	return nil, fmt.Errorf("the schema refers to another package: %s", descriptor.Name)
}
