// Package postgresql bridges the last importable release of the Terraform provider for PostgreSQL (1.7.1), with the
// tokens and property names of the official Pulumi package 3.18, and adds what that release lacks: schema grants,
// grants that revoke, the idle-in-transaction timeout of roles, a read of roles whatever their settings, and a drop of
// databases in use. Every operation may be interrupted anywhere and done again, and is done again by itself where its
// failure passes.
package postgresql

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
)

// Version is that of the PyPI package pulumi-postgresql whose SDK talks to this plugin.
const Version = "3.18.2"

// Info describes the bridged provider.
func Info() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            sdkv1.NewProvider(Provider()),
		Name:         "postgresql",
		DisplayName:  "PostgreSQL",
		Description:  "A Pulumi package for creating and managing PostgreSQL databases, roles and grants.",
		License:      "Apache-2.0",
		Repository:   "https://github.com/pulumi/pulumi-postgresql",
		Version:      Version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources:    map[string]*tfbridge.ResourceInfo{},
	}
	for name, member := range map[string]string{
		"postgresql_database":           "Database",
		"postgresql_default_privileges": "DefaultPrivileges",
		"postgresql_extension":          "Extension",
		"postgresql_grant":              "Grant",
		"postgresql_role":               "Role",
		"postgresql_schema":             "Schema",
	} {
		info.Resources[name] = &tfbridge.ResourceInfo{
			Tok: tfbridge.MakeResource("postgresql", "index", member),
			// A create takes over what has its name. A delete after the create of the replacement would destroy what
			// was just taken over, or revoke what was just granted.
			DeleteBeforeReplace: true,
		}
	}
	return info
}
