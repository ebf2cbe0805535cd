// Package neon bridges the Terraform provider kislerdm/neon as the parameterized package that
// `pulumi package add terraform-provider kislerdm/neon 0.13.0` yields, with what the provider lacks put right around
// it: the API's URL, a secret API key, "not found" that means gone, pooled hosts of an API with addresses, settings of a
// compute that reach the live one, settings of a project that change in place and last, an owner that stays the one that
// was named, and the client of package neonhttp.
package neon

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"
	upstream "github.com/kislerdm/terraform-provider-neon/provider"

	"tenantry.dev/toolchain/internal/neonhttp"
	"tenantry.dev/toolchain/withheld"
)

const (
	urlVariable = "NEON_API_URL"
	keyVariable = "NEON_API_KEY"
	userAgent   = "tenantry (kislerdm/neon " + Version + ")"
)

// stock leaves out everything that makes the provider safe; see stock.go.
var stock bool

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

	s := &session{}
	p.ConfigureContextFunc = s.configure

	resources := make(map[string]*schema.Resource, len(p.ResourcesMap))
	for name, resource := range p.ResourcesMap {
		wrapped := *resource
		if name == "neon_project" {
			wrapped.CreateContext = withPooledHost(wrapped.CreateContext)
			wrapped.ReadContext = withPooledHost(wrapped.ReadContext)
			wrapped.UpdateContext = withPooledHost(wrapped.UpdateContext)
		}
		if !stock {
			s.guard(name, &wrapped)
		}
		resources[name] = &wrapped
	}
	p.ResourcesMap = resources

	sources := make(map[string]*schema.Resource, len(p.DataSourcesMap))
	for name, source := range p.DataSourcesMap {
		wrapped := *source
		if name == "neon_project" {
			wrapped.ReadContext = withPooledHost(wrapped.ReadContext)
		}
		if !stock {
			wrapped.ReadContext = within(s, wrapped.ReadContext)
		}
		sources[name] = &wrapped
	}
	p.DataSourcesMap = sources
	return p
}

// guard wraps a resource's operations in what upstream lacks.
func (s *session) guard(name string, r *schema.Resource) {
	if exists, ok := lookups[name]; ok {
		r.ReadContext = goneOnRead(r.ReadContext, exists)
		r.DeleteContext = goneOnDelete(r.DeleteContext, exists)
	}
	if name == "neon_project" {
		r.Schema = withLastingSettings(r.Schema)
		r.CreateContext = withNamedOwner(withLiveCompute(r.CreateContext))
		r.ReadContext = withNamedOwner(withLiveComputeRead(r.ReadContext))
		r.UpdateContext = withNamedOwner(withLiveCompute(r.UpdateContext))
	}
	var inURL []string
	if name == "neon_role" || name == "neon_database" {
		inURL = []string{"name"}
	}
	r.CreateContext = within(s, r.CreateContext, inURL...)
	r.ReadContext = within(s, r.ReadContext, inURL...)
	r.DeleteContext = within(s, r.DeleteContext, inURL...)
	if r.UpdateContext != nil {
		r.UpdateContext = within(s, undoneOnFailure(r.UpdateContext), inURL...)
	}
	if r.Importer != nil && r.Importer.StateContext != nil {
		r.Importer = &schema.ResourceImporter{StateContext: importing(s, r.Importer.StateContext)}
	}
}

// configure makes the Neon client. The upstream resources demand that it is the SDK's own type.
func (s *session) configure(_ context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
	key, _ := d.Get("api_key").(string)
	if key == "" {
		key = os.Getenv(keyVariable)
	}
	if key == "" {
		return nil, diag.FromErr(fmt.Errorf(
			"no Neon API key: set the provider's apiKey (`pulumi config set --secret neon:apiKey …`) or %s", keyVariable))
	}
	options := neonhttp.Options{
		BaseURL:   os.Getenv(urlVariable),
		Key:       key,
		UserAgent: userAgent,
		// The provider puts an answer's words into its errors.
		Transport: withheld.FromAnswers(http.DefaultTransport),
	}
	var sender sdk.HTTPClient
	if stock {
		plain, err := neonhttp.NewPlain(options)
		if err != nil {
			return nil, diag.FromErr(err)
		}
		sender = plain
	} else {
		settings, err := neonhttp.ReadSettings(os.Getenv)
		if err != nil {
			return nil, diag.FromErr(err)
		}
		client, err := neonhttp.New(options, settings)
		if err != nil {
			return nil, diag.FromErr(err)
		}
		s.open(key, client)
		sender = client.For(interrupted, neonhttp.Run{})
	}
	client, err := sdk.NewClient(sdk.Config{Key: key, HTTPClient: sender})
	if err != nil {
		return nil, diag.FromErr(err)
	}
	return client, nil
}
