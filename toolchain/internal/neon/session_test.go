package neon

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
)

func TestAProjectThatIsThereIsTakenOverWithAWarning(t *testing.T) {
	answers := project("h.example")
	delete(answers, "POST /projects")
	listed := `{"id":"` + projectID + `","name":"acme","created_at":"2026-07-01T00:00:00Z"}`
	answers["GET /projects"] = answer{200, `{"projects":[` + listed + `]}`}
	root := "/projects/" + projectID
	answers["GET "+root+"/operations"] = answer{200, `{"operations":[]}`}
	answers["GET "+root+"/branches/"+branchID+"/roles"] = answer{200, `{"roles":[{"name":"owner"}]}`}
	answers["PATCH "+root] = answer{200, `{"project":{},"operations":[]}`}
	_, p := serve(t, answers)
	d := data(t, p, "neon_project", "", map[string]any{"name": "acme", "history_retention_seconds": 21600})
	d.SetId("")
	diags := p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta())
	if diags.HasError() || len(diags) != 1 || diags[0].Severity != diag.Warning || !strings.Contains(diags[0].Summary, "taken over "+projectID) {
		t.Fatal(diags)
	}
	if d.Id() != projectID || d.Get("database_password") != "npg_x" || d.Get("database_host") != "h.example" || d.Get("database_user") != "owner" {
		t.Errorf("state %v", d.State().Attributes)
	}
}

func TestTheStatusesThatUpstreamRepeatsNeverReachIt(t *testing.T) {
	for _, code := range []int{423, 429, 500} {
		answers := project("h.example")
		answers["POST /projects"] = answer{code, `{"code":"","message":"no"}`}
		a, p := serve(t, answers)
		t.Setenv("NEON_RETRY_SECONDS", "0")
		t.Setenv("NEON_LOST_SECONDS", "0")
		fail(t, p.Configure(context.Background(), terraform.NewResourceConfigRaw(nil)))
		d := data(t, p, "neon_project", "", map[string]any{"name": "acme"})
		d.SetId("")
		began := time.Now()
		diags := p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta())
		if !diags.HasError() || !strings.Contains(diags[0].Summary, "POST /projects: ") || time.Since(began) > 10*time.Second {
			t.Errorf("%d: %v after %s", code, diags, time.Since(began))
		}
		if asked := strings.Count(strings.Join(a.asked, "\n"), "POST /projects"); asked > 3 {
			t.Errorf("%d: %d creates", code, asked)
		}
	}
}

func TestTheMaintenanceWindowOfTheStateIsNotSentAgain(t *testing.T) {
	answers := project("h.example")
	const bare = `"allowed_ips":{"ips":[],"protected_branches_only":false}`
	get := answers["GET /projects/"+projectID]
	get.body = strings.Replace(get.body, bare, bare+`,"maintenance_window":{"weekdays":[1],"start_time":"05:00","end_time":"06:00"}`, 1)
	answers["GET /projects/"+projectID] = get
	a, p := serve(t, answers)
	sent := ""
	recording := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			content := make([]byte, r.ContentLength)
			_, _ = r.Body.Read(content)
			sent = string(content)
			_, _ = w.Write([]byte(`{"project":{},"operations":[]}`))
			return
		}
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(recording.Close)
	t.Setenv(urlVariable, recording.URL)
	fail(t, p.Configure(context.Background(), terraform.NewResourceConfigRaw(nil)))
	r := p.ResourcesMap["neon_project"]
	d := data(t, p, "neon_project", projectID, map[string]any{"name": "acme", "history_retention_seconds": 3600})
	fail(t, r.ReadContext(context.Background(), d, p.Meta()))
	if len(d.Get("maintenance_window").([]any)) != 1 {
		t.Fatal("the window is not in the state")
	}
	changed, err := schema.InternalMap(r.Schema).Data(d.State(), &terraform.InstanceDiff{
		Attributes: map[string]*terraform.ResourceAttrDiff{"name": {Old: "acme", New: "other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	fail(t, r.UpdateContext(context.Background(), changed, p.Meta()))
	if !strings.Contains(sent, `"name":"other"`) || strings.Contains(sent, "maintenance_window") || strings.Contains(sent, "allowed_ips") {
		t.Errorf("sent %s", sent)
	}
}

func TestACrashOfUpstreamIsAnErrorOfOneLine(t *testing.T) {
	answers := project("h.example")
	route := "GET /projects/" + projectID + "/branches/" + branchID + "/endpoints"
	disabled := answers[route]
	disabled.body = strings.Replace(disabled.body, `"disabled":false`, `"disabled":true`, 1)
	answers[route] = disabled
	_, p := serve(t, answers)
	d := data(t, p, "neon_project", projectID, nil)
	diags := p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta())
	if !diags.HasError() || !strings.Contains(diags[0].Summary, "index out of range") || strings.Contains(diags[0].Summary, "\n") {
		t.Error(diags)
	}
	if _, err := p.ResourcesMap["neon_project"].Importer.StateContext(context.Background(), d, p.Meta()); err == nil {
		t.Error("an import says nothing")
	}
}

func TestOddCharactersAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	for name, one := range map[string]struct {
		resource, id string
		raw          map[string]any
	}{
		"line break in an id":    {"neon_project", "quiet-lake\n1", nil},
		"question mark in an id": {"neon_project", "quiet-lake?x=1", nil},
		"slash in a project":     {"neon_branch", "br-1", map[string]any{"project_id": "a/b"}},
		"slash in a name":        {"neon_role", "p/b/r", map[string]any{"project_id": "p", "branch_id": "b", "name": "r/../x"}},
		"hash in a name":         {"neon_database", "p/b/r", map[string]any{"project_id": "p", "branch_id": "b", "name": "a#b", "owner_name": "o"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, p := serve(t, project("h.example"))
			r := p.ResourcesMap[one.resource]
			for _, do := range []func(context.Context) diag.Diagnostics{
				func(ctx context.Context) diag.Diagnostics {
					return r.ReadContext(ctx, data(t, p, one.resource, one.id, one.raw), p.Meta())
				},
				func(ctx context.Context) diag.Diagnostics {
					return r.DeleteContext(ctx, data(t, p, one.resource, one.id, one.raw), p.Meta())
				},
			} {
				diags := do(context.Background())
				if !diags.HasError() || !strings.Contains(diags[0].Summary, "cannot put into a request") || len(a.asked) != 0 {
					t.Errorf("%v, asked %v", diags, a.asked)
				}
			}
		})
	}
}

func TestOrdinaryNamesAreNotOdd(t *testing.T) {
	_, p := serve(t, nil)
	d := data(t, p, "neon_database", "p/b/d é", map[string]any{"project_id": "p", "branch_id": "b", "name": "d é", "owner_name": "o"})
	if err := oddIDs(d, []string{"name"}); err != nil {
		t.Error(err)
	}
}

func TestAnOperationEndsWithItsContext(t *testing.T) {
	answers := project("h.example")
	answers["PATCH "+endpointRoute] = answer{200, `{"endpoint":{},"operations":[` + operationIn("running") + `]}`}
	answers["PATCH /projects/"+projectID] = answer{200, `{"project":{},"operations":[]}`}
	answers["GET "+operationRoute] = answer{200, `{"operations":[` + operationIn("running") + `]}`}
	_, p := serve(t, answers)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	d := data(t, p, "neon_project", projectID, sized(0.25, 4, 300))
	began := time.Now()
	diags := p.ResourcesMap["neon_project"].UpdateContext(ctx, d, p.Meta())
	if !diags.HasError() || !strings.Contains(diags[0].Summary, "the run was cancelled") || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", diags, time.Since(began))
	}
}

func TestABadSettingIsRefusedAtConfigure(t *testing.T) {
	t.Setenv(keyVariable, "k")
	t.Setenv("NEON_API_RPM", "many")
	diags := Provider().Configure(context.Background(), terraform.NewResourceConfigRaw(nil))
	if !diags.HasError() || !strings.Contains(diags[0].Summary, `NEON_API_RPM: "many" is not allowed`) {
		t.Error(diags)
	}
}

func TestTheStockProviderSendsEachRequestAsItIs(t *testing.T) {
	stock = true
	t.Cleanup(func() { stock = false })
	answers := project("h.example")
	a, p := serve(t, answers)
	d := data(t, p, "neon_project", "", map[string]any{"name": "acme"})
	d.SetId("")
	fail(t, p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta()))
	if a.asked[0] != "POST /projects" {
		t.Errorf("asked %v", a.asked)
	}
}
