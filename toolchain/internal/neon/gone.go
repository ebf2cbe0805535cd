package neon

import (
	"context"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"

	"tenantry.dev/toolchain/internal/neonhttp"
)

// lookup asks the API for the object that a resource stands for, or for the one that it cannot exist without.
type lookup func(client *sdk.Client, d *schema.ResourceData) error

// lookups of the resources that have a look-up of their own. The API keys are absent on purpose: their routes answer
// 404 to a key of the wrong kind, which says nothing of the object.
var lookups = map[string]lookup{
	"neon_project": func(c *sdk.Client, d *schema.ResourceData) error {
		_, err := c.GetProject(d.Id())
		return err
	},
	"neon_branch": func(c *sdk.Client, d *schema.ResourceData) error {
		_, err := c.GetProjectBranch(text(d, "project_id"), d.Id())
		return err
	},
	"neon_endpoint": func(c *sdk.Client, d *schema.ResourceData) error {
		_, err := c.GetProjectEndpoint(text(d, "project_id"), d.Id())
		return err
	},
	"neon_role": func(c *sdk.Client, d *schema.ResourceData) error {
		_, err := c.GetProjectBranchRole(text(d, "project_id"), text(d, "branch_id"), text(d, "name"))
		return err
	},
	"neon_database": func(c *sdk.Client, d *schema.ResourceData) error {
		_, err := c.GetProjectBranchDatabase(text(d, "project_id"), text(d, "branch_id"), text(d, "name"))
		return err
	},
	"neon_jwks_url":                 projectLookup,
	"neon_project_permission":       projectLookup,
	"neon_vpc_endpoint_restriction": projectLookup,
}

func projectLookup(c *sdk.Client, d *schema.ResourceData) error {
	_, err := c.GetProject(text(d, "project_id"))
	return err
}

func text(d *schema.ResourceData, attribute string) string {
	value, _ := d.Get(attribute).(string)
	return value
}

// goneOnRead makes a failed read of an object that is certainly gone an empty state, as every provider should. Upstream
// reports an error, and a failed look-up of a part (a role's password) looks the same there as one of the whole:
// so the object itself is asked for.
func goneOnRead(read schema.ReadContextFunc, exists lookup) schema.ReadContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		diags := read(ctx, d, meta)
		if diags.HasError() && gone(d, meta, exists) {
			d.SetId("")
			return nil
		}
		return diags
	}
}

// goneOnDelete makes the delete of an object that is certainly gone a success. The API answers it with 404 or, against
// what the SDK expects, with an empty 204.
func goneOnDelete(remove schema.DeleteContextFunc, exists lookup) schema.DeleteContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		// Upstream may clear the id before it fails.
		id := d.Id()
		diags := remove(ctx, d, meta)
		if !diags.HasError() {
			return diags
		}
		if d.Id() == "" {
			d.SetId(id)
		}
		if gone(d, meta, exists) {
			d.SetId("")
			return nil
		}
		return diags
	}
}

// gone says whether the API denies knowing the object, in its own words. A 404 of another kind (an unknown route, a
// page of some other server) is no proof: a state must not be emptied for a wrong URL.
func gone(d *schema.ResourceData, meta any, exists lookup) bool {
	client, ok := meta.(*sdk.Client)
	if !ok || d.Id() == "" {
		return false
	}
	return neonhttp.IsGone(exists(client, d))
}
