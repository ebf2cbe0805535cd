package neon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
)

const (
	projectID  = "quiet-lake-12345678"
	branchID   = "br-quiet-lake-a1b2c3d4"
	endpointID = "ep-quiet-lake-a1b2c3d4"
)

// api answers from a table of "METHOD /path" to an answer, with the API's own 404 for the rest.
type api struct {
	answers map[string]answer
	asked   []string
}

type answer struct {
	status int
	body   string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Path
	a.asked = append(a.asked, r.Method+" "+r.URL.String())
	found, ok := a.answers[route]
	if !ok {
		found = answer{http.StatusNotFound, `{"code":"","message":"project not found"}`}
	}
	w.WriteHeader(found.status)
	_, _ = w.Write([]byte(found.body))
}

// project returns the answers for one project whose endpoint has the given host.
func project(host string) map[string]answer {
	const now = `"created_at":"2026-07-01T00:00:00Z","updated_at":"2026-07-01T00:00:00Z"`
	p := `{"id":"` + projectID + `","name":"acme","region_id":"aws-us-east-2","pg_version":17,"provisioner":"k8s-neonvm",
		"store_passwords":true,"history_retention_seconds":21600,"settings":{"allowed_ips":{"ips":[],"protected_branches_only":false}},` + now + `}`
	b := `{"id":"` + branchID + `","project_id":"` + projectID + `","name":"main","primary":true,"default":true,` + now + `}`
	e := `{"id":"` + endpointID + `","branch_id":"` + branchID + `","project_id":"` + projectID + `","type":"read_write","disabled":false,
		"autoscaling_limit_min_cu":0.25,"autoscaling_limit_max_cu":2,"suspend_timeout_seconds":300,"host":"` + host + `",` + now + `}`
	d := `{"id":1,"branch_id":"` + branchID + `","name":"neondb","owner_name":"owner",` + now + `}`
	root := "/projects/" + projectID
	return map[string]answer{
		"GET /projects":                            {200, `{"projects":[]}`},
		"POST /projects":                           {201, `{"project":` + p + `,"branch":` + b + `,"endpoints":[` + e + `],"databases":[` + d + `],"roles":[],"operations":[],"connection_uris":[]}`},
		"GET " + root:                              {200, `{"project":` + p + `}`},
		"GET " + root + "/branches":                {200, `{"branches":[` + b + `]}`},
		"GET " + root + "/endpoints/" + endpointID: {200, `{"endpoint":` + e + `}`},
		"GET " + root + "/branches/" + branchID + "/endpoints":                   {200, `{"endpoints":[` + e + `]}`},
		"GET " + root + "/branches/" + branchID + "/databases":                   {200, `{"databases":[` + d + `]}`},
		"GET " + root + "/branches/" + branchID + "/roles/owner/reveal_password": {200, `{"password":"npg_x"}`},
		"GET " + root + "/connection_uri":                                        {200, `{"uri":"postgresql://owner:npg_x@127.64.0.9/neondb?sslmode=require"}`},
	}
}

func serve(t *testing.T, answers map[string]answer) (*api, *schema.Provider) {
	t.Helper()
	a := &api{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	t.Setenv(urlVariable, server.URL)
	t.Setenv(keyVariable, "napi_test")
	t.Setenv("NEON_STATE_FOLDER", t.TempDir())
	t.Setenv("NEON_RETRY_SECONDS", "5")
	t.Setenv("NEON_RETRY_ATTEMPTS", "2")
	t.Setenv("NEON_POLL_SECONDS", "0.05")
	p := Provider()
	if diags := p.Configure(context.Background(), terraform.NewResourceConfigRaw(nil)); diags.HasError() {
		t.Fatal(diags)
	}
	return a, p
}

func data(t *testing.T, p *schema.Provider, resource, id string, raw map[string]any) *schema.ResourceData {
	t.Helper()
	d := schema.TestResourceDataRaw(t, p.ResourcesMap[resource].Schema, raw)
	d.SetId(id)
	return d
}

func fail(t *testing.T, diags diag.Diagnostics) {
	t.Helper()
	if diags.HasError() {
		t.Fatal(diags)
	}
}

func TestTheKeyIsSecretAndNotInTheSchema(t *testing.T) {
	t.Setenv(keyVariable, "napi_must_not_be_seen")
	key := Provider().Schema["api_key"]
	if !key.Sensitive || key.Default != nil {
		t.Errorf("api_key: sensitive %t, default %v", key.Sensitive, key.Default)
	}
}

func TestAMissingKeyIsReported(t *testing.T) {
	t.Setenv(keyVariable, "")
	diags := Provider().Configure(context.Background(), terraform.NewResourceConfigRaw(nil))
	if !diags.HasError() || !strings.Contains(diags[0].Summary, keyVariable) {
		t.Error(diags)
	}
}

func TestABadURLIsReported(t *testing.T) {
	t.Setenv(keyVariable, "k")
	t.Setenv(urlVariable, "localhost:8080")
	diags := Provider().Configure(context.Background(), terraform.NewResourceConfigRaw(nil))
	if !diags.HasError() || !strings.Contains(diags[0].Summary, urlVariable) {
		t.Error(diags)
	}
}

func TestPooledHostOfAnAddressComesFromTheAPI(t *testing.T) {
	a, p := serve(t, project("127.64.0.8"))
	r := p.ResourcesMap["neon_project"]
	d := data(t, p, "neon_project", "", map[string]any{"name": "acme"})
	d.SetId("")
	fail(t, r.CreateContext(context.Background(), d, p.Meta()))
	check := func(when string) {
		t.Helper()
		if got := d.Get("database_host_pooler"); got != "127.64.0.9" {
			t.Errorf("%s: pooled host %v", when, got)
		}
		if got := d.Get("connection_uri_pooler"); got != "postgres://owner:npg_x@127.64.0.9/neondb?sslmode=require" {
			t.Errorf("%s: pooled URI %v", when, got)
		}
		if got := d.Get("database_host"); got != "127.64.0.8" {
			t.Errorf("%s: host %v", when, got)
		}
	}
	check("create")
	fail(t, r.ReadContext(context.Background(), d, p.Meta()))
	check("read")
	a.answers["PATCH /projects/"+projectID] = answer{200, `{"project":{"id":"` + projectID + `"},"operations":[]}`}
	fail(t, r.UpdateContext(context.Background(), d, p.Meta()))
	check("update")
	want := "GET /projects/" + projectID + "/connection_uri?database_name=neondb&role_name=owner&pooled=true"
	if !strings.Contains(strings.Join(a.asked, "\n"), want) {
		t.Errorf("never asked %s", want)
	}
}

func TestPooledHostOfANameIsUpstreams(t *testing.T) {
	a, p := serve(t, project("ep-quiet-lake-a1b2c3d4.us-east-2.aws.neon.tech"))
	d := data(t, p, "neon_project", projectID, nil)
	fail(t, p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()))
	if got := d.Get("database_host_pooler"); got != "ep-quiet-lake-a1b2c3d4-pooler.us-east-2.aws.neon.tech" {
		t.Error(got)
	}
	if strings.Contains(strings.Join(a.asked, "\n"), "connection_uri") {
		t.Error("the API was asked for a URI that nobody needs")
	}
}

func TestPooledHostWaitsForALock(t *testing.T) {
	answers := project("127.64.0.8")
	route := "GET /projects/" + projectID + "/connection_uri"
	uri := answers[route]
	answers[route] = answer{423, `{"code":"","message":"project already has running conflicting operations"}`}
	a, p := serve(t, answers)
	server := &unlocking{api: a, route: route, answer: uri}
	httpServer := httptest.NewServer(server)
	t.Cleanup(httpServer.Close)
	t.Setenv(urlVariable, httpServer.URL)
	fail(t, p.Configure(context.Background(), terraform.NewResourceConfigRaw(nil)))
	d := data(t, p, "neon_project", projectID, nil)
	fail(t, p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()))
	if got := d.Get("database_host_pooler"); got != "127.64.0.9" {
		t.Error(got)
	}
}

// unlocking answers one route from its second request on.
type unlocking struct {
	*api
	route  string
	answer answer
	count  int
}

func (u *unlocking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method+" "+r.URL.Path == u.route {
		if u.count++; u.count == 2 {
			u.answers[u.route] = u.answer
		}
	}
	u.api.ServeHTTP(w, r)
}

func TestNotFoundOnReadMeansGone(t *testing.T) {
	for resource, raw := range map[string]map[string]any{
		"neon_project":                  {},
		"neon_branch":                   {"project_id": projectID},
		"neon_endpoint":                 {"project_id": projectID, "branch_id": branchID},
		"neon_role":                     {"project_id": projectID, "branch_id": branchID, "name": "r"},
		"neon_database":                 {"project_id": projectID, "branch_id": branchID, "name": "d", "owner_name": "r"},
		"neon_jwks_url":                 {"project_id": projectID, "jwks_url": "https://x", "provider_name": "x", "role_names": []any{"r"}},
		"neon_project_permission":       {"project_id": projectID, "grantee": "a@b.c"},
		"neon_vpc_endpoint_restriction": {"project_id": projectID, "vpc_endpoint_id": "v", "label": "l"},
	} {
		t.Run(resource, func(t *testing.T) {
			_, p := serve(t, nil)
			d := data(t, p, resource, projectID, raw)
			fail(t, p.ResourcesMap[resource].ReadContext(context.Background(), d, p.Meta()))
			if d.Id() != "" {
				t.Errorf("id %q", d.Id())
			}
		})
	}
}

func TestAMissingPartIsNotTheWhole(t *testing.T) {
	answers := project("h.example")
	delete(answers, "GET /projects/"+projectID+"/branches/"+branchID+"/roles/owner/reveal_password")
	_, p := serve(t, answers)
	d := data(t, p, "neon_project", projectID, nil)
	if diags := p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()); !diags.HasError() {
		t.Error("no error")
	}
	if d.Id() != projectID {
		t.Error("the project is taken for gone")
	}
}

func TestAForeign404IsNoProof(t *testing.T) {
	for name, body := range map[string]string{
		"another server": "<html>404 Not Found</html>", "an unknown route": `{"code":"","message":"this route does not exist"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, p := serve(t, map[string]answer{"GET /projects/" + projectID: {404, body}})
			d := data(t, p, "neon_project", projectID, nil)
			if diags := p.ResourcesMap["neon_project"].ReadContext(context.Background(), d, p.Meta()); !diags.HasError() {
				t.Error("no error")
			}
			if d.Id() == "" {
				t.Error("the project is taken for gone")
			}
		})
	}
}

func TestDeleteOfAMissingObjectSucceeds(t *testing.T) {
	root := "/projects/" + projectID + "/branches/" + branchID + "/databases/d"
	_, p := serve(t, map[string]answer{
		"DELETE " + root: {204, ""}, "GET " + root: {404, `{"code":"","message":"database not found"}`},
	})
	d := data(t, p, "neon_database", projectID+"/"+branchID+"/d",
		map[string]any{"project_id": projectID, "branch_id": branchID, "name": "d", "owner_name": "r"})
	fail(t, p.ResourcesMap["neon_database"].DeleteContext(context.Background(), d, p.Meta()))
}

func TestARefusedDeleteFails(t *testing.T) {
	answers := project("h.example")
	answers["DELETE /projects/"+projectID] = answer{422, `{"code":"","message":"project has a protected branch"}`}
	_, p := serve(t, answers)
	d := data(t, p, "neon_project", projectID, nil)
	diags := p.ResourcesMap["neon_project"].DeleteContext(context.Background(), d, p.Meta())
	if !diags.HasError() || d.Id() != projectID {
		t.Errorf("%v, id %q", diags, d.Id())
	}
}

func TestUpstreamIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	if err := Provider().InternalValidate(); err != nil {
		t.Fatal(err)
	}
	first, second := Provider(), Provider()
	if first.ResourcesMap["neon_project"] == second.ResourcesMap["neon_project"] {
		t.Error("two providers share a wrapped resource")
	}
}

func properties(t *testing.T, document []byte, path ...string) map[string]struct {
	Secret bool `json:"secret"`
} {
	t.Helper()
	raw := json.RawMessage(document)
	for _, key := range path {
		var level map[string]json.RawMessage
		if err := json.Unmarshal(raw, &level); err != nil {
			t.Fatal(err)
		}
		raw = level[key]
	}
	var found map[string]struct {
		Secret bool `json:"secret"`
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		t.Fatal(err)
	}
	return found
}
