package neon

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
)

const (
	projectRoute   = "/projects/" + projectID
	endpointRoute  = projectRoute + "/endpoints/" + endpointID
	operationRoute = projectRoute + "/operations"
)

// computing is the API of a project whose compute can be resized: it keeps the changes that it is asked for.
type computing struct {
	*api
	changes map[string][]string
	// refusals of a route before it does its work, as status codes.
	refusals map[string][]int
	// ends is what the operation of a change comes to.
	ends string
}

func (c *computing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Path
	if codes := c.refusals[route]; len(codes) > 0 {
		c.refusals[route] = codes[1:]
		w.WriteHeader(codes[0])
		_, _ = w.Write([]byte(`{"code":"","message":"busy"}`))
		return
	}
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body)
		c.changes[r.URL.Path] = append(c.changes[r.URL.Path], string(body))
		_, _ = w.Write([]byte(`{"project":{"id":"` + projectID + `"},"operations":[` + operationIn("running") + `]}`))
		return
	}
	if route == "GET "+operationRoute {
		_, _ = w.Write([]byte(`{"operations":[` + operationIn(c.ends) + `]}`))
		return
	}
	c.api.ServeHTTP(w, r)
}

func operationIn(status string) string {
	return `{"id":"op-1","project_id":"` + projectID + `","action":"apply_config","status":"` + status + `",
		"error":"no room","failures_count":0,"created_at":"2026-07-01T00:00:00Z","updated_at":"2026-07-01T00:00:00Z"}`
}

func serveComputing(t *testing.T) (*computing, *schema.Provider) {
	t.Helper()
	a, p := serve(t, project("h.example"))
	c := &computing{api: a, changes: map[string][]string{}, refusals: map[string][]int{}, ends: "finished"}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	t.Setenv(urlVariable, server.URL)
	fail(t, p.Configure(context.Background(), terraform.NewResourceConfigRaw(nil)))
	return c, p
}

func sized(min, max float64, suspend int) map[string]any {
	return map[string]any{
		"name":            "acme",
		settingsAttribute: []any{map[string]any{minimum: min, maximum: max, suspension: suspend}},
	}
}

func TestAResizeReachesTheLiveCompute(t *testing.T) {
	c, p := serveComputing(t)
	d := data(t, p, "neon_project", projectID, sized(0.25, 4, 300))
	fail(t, p.ResourcesMap["neon_project"].UpdateContext(context.Background(), d, p.Meta()))
	want := `{"endpoint":{"autoscaling_limit_max_cu":4,"autoscaling_limit_min_cu":0.25}}`
	if got := c.changes[endpointRoute]; len(got) != 1 || strings.TrimSpace(got[0]) != want {
		t.Errorf("sent %v", got)
	}
}

func TestAComputeOfTheWantedSizeIsLeftAlone(t *testing.T) {
	c, p := serveComputing(t)
	d := data(t, p, "neon_project", "", sized(0.25, 2, 300))
	d.SetId("")
	fail(t, p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta()))
	if len(c.changes) != 0 {
		t.Errorf("sent %v", c.changes)
	}
}

func TestNeverToSuspendIsSentToTheProjectAndToTheCompute(t *testing.T) {
	c, p := serveComputing(t)
	d := data(t, p, "neon_project", "", sized(0.25, 2, -1))
	d.SetId("")
	fail(t, p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta()))
	for _, route := range []string{projectRoute, endpointRoute} {
		if got := strings.Join(c.changes[route], ""); !strings.Contains(got, `"suspend_timeout_seconds":-1`) {
			t.Errorf("%s: sent %v", route, got)
		}
	}
}

func TestABusyProjectIsWaitedFor(t *testing.T) {
	c, p := serveComputing(t)
	c.refusals["PATCH "+endpointRoute] = []int{423, 503, 429}
	d := data(t, p, "neon_project", "", sized(0.25, 4, 300))
	d.SetId("")
	fail(t, p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta()))
	if len(c.changes[endpointRoute]) != 1 {
		t.Errorf("sent %v", c.changes)
	}
}

func TestAResizeThatFailsIsAnErrorWithItsReasonAndKeepsTheProject(t *testing.T) {
	c, p := serveComputing(t)
	c.ends = "failed"
	d := data(t, p, "neon_project", "", sized(0.25, 4, 300))
	d.SetId("")
	diags := p.ResourcesMap["neon_project"].CreateContext(context.Background(), d, p.Meta())
	if !diags.HasError() || !strings.Contains(diags[0].Summary, "operation op-1 (apply_config) of project "+projectID+" failed: no room") {
		t.Error(diags)
	}
	if d.Id() != projectID {
		t.Errorf("id %q", d.Id())
	}
}

func TestAComputeResizedByHandIsRead(t *testing.T) {
	_, p := serveComputing(t)
	d := data(t, p, "neon_project", projectID, sized(1, 8, -1))
	fail(t, p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()))
	values, _ := first(d)
	if values[minimum] != 0.25 || values[maximum] != 2.0 || values[suspension] != 300 {
		t.Errorf("read %v", values)
	}
}
