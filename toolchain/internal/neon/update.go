package neon

import (
	"context"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// undoneOnFailure leaves the state as it was where an update failed. Left alone, Terraform's SDK notes what was asked for
// as what is there, and the next run finds nothing to do.
func undoneOnFailure(update schema.UpdateContextFunc) schema.UpdateContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		// Before, so that it also holds for a panic.
		d.Partial(true)
		diags := update(ctx, d, meta)
		if !diags.HasError() {
			d.Partial(false)
		}
		return diags
	}
}
