package neon

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"

	"tenantry.dev/toolchain/internal/neonhttp"
)

const branchAttribute = "branch"

// withNamedOwner keeps a project's own role the one that its branch block names. Upstream takes the owner of the oldest
// database for it, which in a project that was adopted is somebody else's: its databases are older than our role. Where
// both are one role, as in every project that was made here, nothing is asked.
func withNamedOwner[F operation](do F) F {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		// Before: upstream sets the block anew.
		named := namedOwner(d)
		diags := do(ctx, d, meta)
		client, ok := meta.(*sdk.Client)
		if diags.HasError() || d.Id() == "" || named == "" || named == text(d, "database_user") || !ok {
			return diags
		}
		if err := setOwner(client, d, named); err != nil {
			return append(diags, diag.FromErr(fmt.Errorf("role %s of project %s: %w", named, d.Id(), err))...)
		}
		return diags
	}
}

func namedOwner(d *schema.ResourceData) string {
	name, _ := branchBlock(d)["role_name"].(string)
	return name
}

func branchBlock(d *schema.ResourceData) map[string]any {
	list, _ := d.Get(branchAttribute).([]any)
	if len(list) == 0 {
		return nil
	}
	block, _ := list[0].(map[string]any)
	return block
}

// setOwner makes a role the project's own in all attributes that tell of one.
func setOwner(client *sdk.Client, d *schema.ResourceData, name string) error {
	answer, err := client.GetProjectBranchRolePassword(d.Id(), text(d, "default_branch_id"), name)
	if neonhttp.IsGone(err) {
		// Dropped by hand: then what upstream found is all that there is.
		return nil
	}
	if err != nil {
		return err
	}
	block := branchBlock(d)
	block["role_name"] = name
	// The same form that upstream gives to its URIs.
	uri := func(host string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=require", name, answer.Password, host, text(d, "database_name"))
	}
	for attribute, value := range map[string]any{
		branchAttribute:         []any{block},
		"database_user":         name,
		"database_password":     answer.Password,
		"connection_uri":        uri(text(d, "database_host")),
		"connection_uri_pooler": uri(text(d, "database_host_pooler")),
	} {
		if err := d.Set(attribute, value); err != nil {
			return err
		}
	}
	return nil
}
