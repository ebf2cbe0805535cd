package neonhttp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

const madeBody = `{
	"project": {"id": "p-9", "name": "n", "store_passwords": true}, "branch": {"id": "br-9"},
	"endpoints": [{"id": "ep-9", "branch_id": "br-9", "autoscaling_limit_max_cu": 1}], "databases": [{"name": "app"}],
	"roles": [{"name": "owner", "password": "npg_a"}, {"name": "silent"}],
	"connection_uris": [{"connection_uri": "postgresql://owner:npg_a@127.0.0.1/app?sslmode=require",
		"connection_parameters": {"database": "app", "role": "owner", "host": "127.0.0.1", "pooler_host": "127.0.0.2"}}],
	"operations": []}`

func exchange(t *testing.T, b *Bound, method, path, body string) string {
	t.Helper()
	response, err := b.Do(request(t, method, PublicURL+path, body))
	if err != nil {
		return err.Error()
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestACreatesAnswerIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{status: http.StatusCreated, body: madeBody})
	client := c.client(settings)
	b := client.For(context.Background(), Run{})
	exchange(t, b, "POST", "/projects", createBody)
	before := len(c.asked)
	for path, want := range map[string]string{
		"/projects/p-9/branches/br-9/roles/owner/reveal_password":                    `{"password":"npg_a"}`,
		"/projects/p-9/endpoints/ep-9":                                               `"autoscaling_limit_max_cu":1`,
		"/projects/p-9/connection_uri?role_name=owner&pooled=true&database_name=app": `{"uri":"postgresql://owner:npg_a@127.0.0.2/app?sslmode=require"}`,
	} {
		if got := exchange(t, b, "GET", path, ""); !strings.Contains(strings.ReplaceAll(got, " ", ""), want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if len(c.asked) != before {
		t.Errorf("asked %v", c.asked[before:])
	}
	// What it did not hold is asked for, and so is everything by another operation.
	other := client.For(context.Background(), Run{})
	for i, asks := range []func(){
		func() { exchange(t, b, "GET", "/projects/p-9/branches/br-9/roles/silent/reveal_password", "") },
		func() { exchange(t, b, "GET", "/projects/p-9/connection_uri?database_name=app&role_name=owner", "") },
		func() { exchange(t, b, "GET", "/projects/p-9", "") },
		func() { exchange(t, other, "GET", "/projects/p-9/endpoints/ep-9", "") },
	} {
		if asks(); len(c.asked) != before+i+1 {
			t.Errorf("%d: asked %v", i, c.asked[before:])
		}
	}
}

func TestAChangeEndsWhatWasRemembered(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.trouble(createRoute, trouble{status: http.StatusCreated, body: madeBody})
	c.trouble("PATCH /projects/p-9/endpoints/ep-9", trouble{
		status: http.StatusOK, body: `{"endpoint":{"id":"ep-9","autoscaling_limit_max_cu":4},"operations":[]}`,
	})
	b := c.client(testSettings(t)).For(context.Background(), Run{})
	exchange(t, b, "POST", "/projects", createBody)
	exchange(t, b, "PATCH", "/projects/p-9/endpoints/ep-9", `{"endpoint":{"autoscaling_limit_max_cu":4}}`)
	if got := exchange(t, b, "GET", "/projects/p-9/endpoints/ep-9", ""); !strings.Contains(got, `"autoscaling_limit_max_cu":4`) {
		t.Error(got)
	}
	before := len(c.asked)
	exchange(t, b, "GET", "/projects/p-9/branches/br-9/roles/owner/reveal_password", "")
	exchange(t, b, "PATCH", "/projects/p-9", `{"project":{"name":"m"}}`)
	exchange(t, b, "GET", "/projects/p-9/endpoints/ep-9", "")
	if len(c.asked) != before+3 {
		t.Errorf("asked %v", c.asked[before:])
	}
}

func TestAPasswordThatTheProjectDoesNotKeepIsAskedFor(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.trouble(createRoute, trouble{status: http.StatusCreated, body: strings.Replace(madeBody, "true", "false", 1)})
	b := c.client(testSettings(t)).For(context.Background(), Run{})
	exchange(t, b, "POST", "/projects", createBody)
	exchange(t, b, "GET", "/projects/p-9/branches/br-9/roles/owner/reveal_password", "")
	if c.count("GET /projects/p-9/branches/br-9/roles/owner/reveal_password") != 1 {
		t.Errorf("asked %v", c.asked)
	}
}
