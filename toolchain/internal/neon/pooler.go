package neon

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"
)

// operation has the form of a resource's create, read and update.
type operation interface {
	~func(context.Context, *schema.ResourceData, any) diag.Diagnostics
}

// withPooledHost corrects the pooled host of a project whose endpoint has an address for a host, as a local API gives
// out. Upstream makes the pooled host from the endpoint's by adding "-pooler" to the first label, which leaves nothing
// usable of an address. Neon's own hosts are names and stay as upstream makes them.
func withPooledHost[F operation](do F) F {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		diags := do(ctx, d, meta)
		if diags.HasError() || d.Id() == "" || net.ParseIP(text(d, "database_host")) == nil {
			return diags
		}
		client, ok := meta.(*sdk.Client)
		if !ok {
			return diags
		}
		host, err := pooledHost(client, d)
		if err != nil {
			return append(diags, diag.FromErr(fmt.Errorf("pooled host of project %s: %w", d.Id(), err))...)
		}
		// The same form that upstream gives to its URIs.
		uri := fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=require",
			text(d, "database_user"), text(d, "database_password"), host, text(d, "database_name"))
		if err := d.Set("database_host_pooler", host); err != nil {
			return append(diags, diag.FromErr(err)...)
		}
		if err := d.Set("connection_uri_pooler", uri); err != nil {
			return append(diags, diag.FromErr(err)...)
		}
		return diags
	}
}

// pooledHost asks the API for the pooled connection URI and returns its host.
func pooledHost(client *sdk.Client, d *schema.ResourceData) (string, error) {
	pooled := true
	answer, err := client.GetConnectionURI(d.Id(), nil, nil, text(d, "database_name"), text(d, "database_user"), &pooled)
	if err != nil {
		return "", err
	}
	uri, err := url.Parse(answer.URI)
	if err != nil || uri.Hostname() == "" {
		// Not with the URI itself: it holds a password.
		return "", fmt.Errorf("the API's pooled connection URI has no host")
	}
	return uri.Host, nil
}
