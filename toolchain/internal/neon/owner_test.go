package neon

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

const ours = "tenant_acme__web__owner"

// adopted is the API of a project whose oldest database belongs to another role than ours.
func adopted(password answer) map[string]answer {
	answers := project("h.example")
	answers["GET /projects/"+projectID+"/branches/"+branchID+"/roles/"+ours+"/reveal_password"] = password
	return answers
}

func asking(role string) map[string]any {
	return map[string]any{"name": "acme", branchAttribute: []any{map[string]any{"name": "main", "role_name": role}}}
}

func TestTheNamedRoleIsTheProjectsOwnOnEachOperation(t *testing.T) {
	_, p := serve(t, adopted(answer{200, `{"password":"npg_ours"}`}))
	r := p.ResourcesMap["neon_project"]
	for name, do := range map[string]func(*schema.ResourceData) bool{
		"create": func(d *schema.ResourceData) bool {
			return r.CreateContext(context.Background(), d, p.Meta()).HasError()
		},
		"read": func(d *schema.ResourceData) bool {
			return r.ReadContext(context.Background(), d, p.Meta()).HasError()
		},
	} {
		id := projectID
		if name == "create" {
			id = ""
		}
		d := data(t, p, "neon_project", id, asking(ours))
		if do(d) {
			t.Fatal(name)
		}
		if text(d, "database_user") != ours || text(d, "database_password") != "npg_ours" || namedOwner(d) != ours {
			t.Errorf("%s: %s in %v", name, text(d, "database_user"), d.Get(branchAttribute))
		}
		if uri := text(d, "connection_uri"); uri != "postgres://"+ours+":npg_ours@h.example/neondb?sslmode=require" {
			t.Errorf("%s: %s", name, uri)
		}
		if uri := text(d, "connection_uri_pooler"); !strings.HasPrefix(uri, "postgres://"+ours+":npg_ours@h-pooler.example/") {
			t.Errorf("%s: %s", name, uri)
		}
	}
}

func TestAProjectThatWasMadeHereAsksNothingMore(t *testing.T) {
	a, p := serve(t, project("h.example"))
	r := p.ResourcesMap["neon_project"]
	d := data(t, p, "neon_project", projectID, asking("owner"))
	fail(t, r.ReadContext(context.Background(), d, p.Meta()))
	times := 0
	for _, each := range a.asked {
		if strings.Contains(each, "reveal_password") {
			times++
		}
	}
	if times != 1 || text(d, "database_user") != "owner" {
		t.Errorf("%d times, %s", times, text(d, "database_user"))
	}
}

func TestAnOwnerThatWasDroppedIsNoFailure(t *testing.T) {
	_, p := serve(t, adopted(answer{404, `{"code":"","message":"role not found for branch"}`}))
	d := data(t, p, "neon_project", projectID, asking(ours))
	fail(t, p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()))
	if text(d, "database_user") != "owner" {
		t.Error(text(d, "database_user"))
	}
}

func TestAnOwnerWhosePasswordIsNotToldIsAFailure(t *testing.T) {
	_, p := serve(t, adopted(answer{412, `{"code":"","message":"password is not stored for the role"}`}))
	d := data(t, p, "neon_project", projectID, asking(ours))
	diags := p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta())
	if !diags.HasError() || !strings.Contains(diags[0].Summary, "role "+ours+" of project "+projectID) {
		t.Error(diags)
	}
}
