package neon

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
)

func TestAFailedUpdateIsNotNotedInTheState(t *testing.T) {
	for name, refused := range map[string]answer{
		"refused": {400, `{"code":"","message":"no"}`}, "of another form": {200, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			answers := project("h.example")
			answers["PATCH /projects/"+projectID] = refused
			_, p := serve(t, answers)
			r := p.ResourcesMap["neon_project"]
			before, diags := r.RefreshWithoutUpgrade(context.Background(), &terraform.InstanceState{ID: projectID}, p.Meta())
			fail(t, diags)
			asked := terraform.NewResourceConfigRaw(map[string]any{"name": "acme", "history_retention_seconds": 86400})
			change, err := r.Diff(context.Background(), before, asked, p.Meta())
			if err != nil {
				t.Fatal(err)
			}
			after, diags := r.Apply(context.Background(), before, change, p.Meta())
			if !diags.HasError() || after.Attributes["history_retention_seconds"] != "21600" {
				t.Errorf("%v, state %v", diags, after.Attributes)
			}
		})
	}
}
