// Package random bridges the Terraform provider hashicorp/random, with the tokens of the official Pulumi package.
package random

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

// Version is that of the PyPI package pulumi-random whose SDK talks to this plugin.
const Version = "4.21.4"

// Info describes the bridged provider.
func Info() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            pf.ShimProvider(shim.NewProvider()),
		Name:         "random",
		DisplayName:  "Random",
		Description:  "A Pulumi package to safely use randomness in Pulumi programs.",
		License:      "Apache-2.0",
		Repository:   "https://github.com/pulumi/pulumi-random",
		Version:      Version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources:    map[string]*tfbridge.ResourceInfo{},
	}
	for name, member := range map[string]string{
		"random_bytes":    "RandomBytes",
		"random_id":       "RandomId",
		"random_integer":  "RandomInteger",
		"random_password": "RandomPassword",
		"random_pet":      "RandomPet",
		"random_shuffle":  "RandomShuffle",
		"random_string":   "RandomString",
		"random_uuid":     "RandomUuid",
		"random_uuid4":    "RandomUuid4",
		"random_uuid7":    "RandomUuid7",
	} {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource("random", "index", member)}
	}
	info.Resources["random_bytes"].ComputeID = noID
	return info
}

// noID gives random_bytes, which has no id of its own, the id that random_password has upstream. The official package
// takes the base64 value, and so writes the secret into every state file, diff and log in the clear: an id cannot be
// a secret.
func noID(context.Context, resource.PropertyMap) (resource.ID, error) {
	return "none", nil
}
