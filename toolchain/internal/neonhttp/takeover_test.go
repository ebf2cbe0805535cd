package neonhttp

import (
	"encoding/json"
	"strings"
	"testing"
)

const existing = "/projects/p-1"

func TestATakenOverProjectHasTheWholeAnswerOfACreate(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.add(asked(t))
	body, _, err := create(t, c, testSettings(t))
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		Project, Branch object
		Endpoints       []object
		Roles           []object
		Databases       []object
		Operations      []object
		URIs            []struct {
			URI        string `json:"connection_uri"`
			Parameters object `json:"connection_parameters"`
		} `json:"connection_uris"`
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	if made.Project["id"] != "p-1" || made.Branch["id"] != "br-p-1" || made.Branch["primary"] != true ||
		made.Endpoints[0]["host"] != "h.p-1" || made.Databases[0]["name"] != "neondb" || made.Databases[1]["name"] != "later" {
		t.Errorf("%s", body)
	}
	if made.Operations == nil || len(made.Operations) != 0 {
		t.Errorf("operations %v", made.Operations)
	}
	if made.Roles[0]["password"] != "npg_secret" || made.Roles[1]["password"] != nil {
		t.Errorf("roles %v", made.Roles)
	}
	uri := made.URIs[0]
	if uri.URI != "postgresql://owner:npg_secret@h.p-1/neondb?sslmode=require" || uri.Parameters["pooler_host"] != "h.p-1" || uri.Parameters["role"] != "owner" {
		t.Errorf("%v", uri)
	}
	if patched := c.bodies["PATCH "+existing]; len(patched) != 0 {
		t.Errorf("changed %v", patched)
	}
}

func TestATakenOverProjectIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.begins = "running"
	c.add(asked(t))
	c.finishAfter(4, "finished", "")
	if _, _, err := create(t, c, testSettings(t)); err != nil || len(c.clock.slept) != 4 {
		t.Errorf("%v, slept %v", err, c.clock.slept)
	}
}

func TestAnOlderDefinitionIsChanged(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	old := asked(t)
	old["history_retention_seconds"] = 3600
	old["default_endpoint_settings"] = object{"autoscaling_limit_min_cu": 0.25, "autoscaling_limit_max_cu": 4, "suspend_timeout_seconds": 0}
	old["settings"] = object{"allowed_ips": object{"ips": []string{"203.0.113.1"}}, "quota": object{}}
	c.add(old)
	if _, _, err := create(t, c, testSettings(t)); err != nil {
		t.Fatal(err)
	}
	want := `{"project":{"default_endpoint_settings":{"autoscaling_limit_min_cu":0.25,"autoscaling_limit_max_cu":1},"history_retention_seconds":21600,` +
		`"settings":{"allowed_ips":{"ips":[],"protected_branches_only":false}}}}`
	if patched := c.bodies["PATCH "+existing]; len(patched) != 1 || patched[0] != want {
		t.Errorf("changed %v", patched)
	}
}

func TestASettingThatIsRefusedIsAnErrorAndNotClaimed(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	old := asked(t)
	old["history_retention_seconds"] = 3600
	c.add(old)
	c.trouble("PATCH "+existing, trouble{status: 400, body: `{"message":"exceeds allowed maximum"}`})
	if _, _, err := create(t, c, testSettings(t)); err == nil || !strings.Contains(err.Error(), "PATCH /projects/p-1: Neon answered 400: exceeds allowed maximum") {
		t.Errorf("%v", err)
	}
}

func TestAComputeThatFailedToStartIsStarted(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.add(asked(t))
	failed := c.operation("p-1", "start_compute", "failed")
	failed["endpoint_id"] = "ep-p-1"
	if _, _, err := create(t, c, testSettings(t)); err != nil || c.count("POST /projects/p-1/endpoints/ep-p-1/start") != 1 {
		t.Errorf("%v", err)
	}
}

func TestAProjectWhoseBranchFailedIsSaidToBeUnusable(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.begins = "failed"
	c.add(asked(t))
	_, _, err := create(t, c, testSettings(t))
	if err == nil || !strings.Contains(err.Error(), "operation op-2 (create_timeline) of project p-1 failed") || !strings.Contains(err.Error(), "delete p-1 in Neon") {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeOursIsSaidWithItsID(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*cloud){
		"it has no default branch": func(c *cloud) { c.inside[existing+"/branches"] = object{"branches": []object{}} },
		"its default branch has no compute that takes writes": func(c *cloud) {
			c.inside[existing+"/branches/br-p-1/endpoints"]["endpoints"].([]object)[0]["disabled"] = true
		},
		"it has no database": func(c *cloud) { c.inside[existing+"/branches/br-p-1/databases"] = object{"databases": []object{}} },
		"it has no role owner": func(c *cloud) {
			c.inside[existing+"/branches/br-p-1/roles"] = object{"roles": []object{{"name": "other"}}}
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.add(asked(t))
			spoil(c)
			_, _, err := create(t, c, testSettings(t))
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "(p-1)") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestABrokenURIIsNotQuoted(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.add(asked(t))
	c.inside[existing+"/connection_uri"] = object{"uri": "npg_secret"}
	_, _, err := create(t, c, testSettings(t))
	if err == nil || strings.Contains(err.Error(), "npg_secret") {
		t.Errorf("%v", err)
	}
}
