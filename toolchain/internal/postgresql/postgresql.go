// Package postgresql bridges the last importable release of the Terraform provider for PostgreSQL (1.7.1), with the
// tokens and property names of the official Pulumi package 3.18, and adds what that release lacks.
package postgresql

import (
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	upstream "github.com/terraform-providers/terraform-provider-postgresql/postgresql"
)

// Version is that of the PyPI package pulumi-postgresql whose SDK talks to this plugin.
const Version = "3.18.2"

// Info describes the bridged provider.
func Info() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            sdkv1.NewProvider(provider()),
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
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource("postgresql", "index", member)}
	}
	return info
}

func provider() *schema.Provider {
	return upstream.Provider().(*schema.Provider)
}
