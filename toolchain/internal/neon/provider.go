// Package neon bridges the Terraform provider kislerdm/neon as the parameterized package that
// `pulumi package add terraform-provider kislerdm/neon 0.13.0` yields, with what the provider lacks put right around
// it: the API's URL, a secret API key, "not found" that means gone, pooled hosts of an API with addresses, and settings
// of a compute that reach the live one.
package neon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"
	upstream "github.com/kislerdm/terraform-provider-neon/provider"

	"tenantry.dev/toolchain/internal/neonhttp"
)

const (
	urlVariable = "NEON_API_URL"
	keyVariable = "NEON_API_KEY"
	userAgent   = "tenantry (kislerdm/neon " + Version + ")"
)

// Provider returns the upstream provider with the wrappers of this package around its resources. The upstream's own
// schemas are shared variables: whatever differs is a copy.
func Provider() *schema.Provider {
	p := upstream.New(Version)

	// Upstream reads NEON_API_KEY into the schema's default, from where it gets into generated schemas, and does not
	// mark the key as secret.
	key := *p.Schema["api_key"]
	key.Default = nil
	key.Sensitive = true
	p.Schema = map[string]*schema.Schema{"api_key": &key}

	p.ConfigureContextFunc = configure

	resources := make(map[string]*schema.Resource, len(p.ResourcesMap))
	for name, resource := range p.ResourcesMap {
		wrapped := *resource
		if exists, ok := lookups[name]; ok {
			wrapped.ReadContext = goneOnRead(resource.ReadContext, exists)
			wrapped.DeleteContext = goneOnDelete(resource.DeleteContext, exists)
		}
		if name == "neon_project" {
			wrapped.CreateContext = withLiveCompute(withPooledHost(wrapped.CreateContext))
			wrapped.ReadContext = withLiveComputeRead(withPooledHost(wrapped.ReadContext))
			wrapped.UpdateContext = withLiveCompute(withPooledHost(wrapped.UpdateContext))
		}
		resources[name] = &wrapped
	}
	p.ResourcesMap = resources

	project := *p.DataSourcesMap["neon_project"]
	project.ReadContext = withPooledHost(project.ReadContext)
	sources := make(map[string]*schema.Resource, len(p.DataSourcesMap))
	for name, source := range p.DataSourcesMap {
		sources[name] = source
	}
	sources["neon_project"] = &project
	p.DataSourcesMap = sources
	return p
}

// configure makes the Neon client. The upstream resources demand that it is the SDK's own type.
func configure(_ context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
	key, _ := d.Get("api_key").(string)
	if key == "" {
		key = os.Getenv(keyVariable)
	}
	if key == "" {
		return nil, diag.FromErr(fmt.Errorf(
			"no Neon API key: set the provider's apiKey (`pulumi config set --secret neon:apiKey …`) or %s", keyVariable))
	}
	transport, err := neonhttp.New(neonhttp.Options{BaseURL: os.Getenv(urlVariable), UserAgent: userAgent})
	if err != nil {
		return nil, diag.FromErr(err)
	}
	client, err := sdk.NewClient(sdk.Config{Key: key, HTTPClient: transport})
	if err != nil {
		return nil, diag.FromErr(err)
	}
	return client, nil
}

// status returns the HTTP status of an error of the SDK, zero for any other error.
func status(err error) int {
	var answer sdk.Error
	if errors.As(err, &answer) {
		return answer.HTTPCode
	}
	return 0
}
