package neonhttp

import (
	"fmt"
	"strings"
	"testing"
)

const branchRoot = existing + "/branches/br-p-1"

type part struct {
	kind, path, body string
	// there puts the object in its place; want is in the answer of a create that took it over.
	there func(c *cloud)
	want  string
	// other is an object of that name that is not the wanted one, and what is said of it.
	other func(c *cloud)
	said  string
}

var everyPart = []part{
	{
		"branch", existing + "/branches", `{"branch":{"name":"staging","parent_id":"br-p-1"}}`,
		func(c *cloud) { c.putBranch("br-p-1") },
		`"id":"br-staging"`,
		func(c *cloud) { c.putBranch("br-other") },
		`there is a branch "staging" (br-staging) already, and its parent is br-other and not br-p-1`,
	},
	{
		"role", branchRoot + "/roles", `{"role":{"name":"reader"}}`,
		func(c *cloud) {
			c.inside[branchRoot+"/roles/reader"] = object{"role": object{"name": "reader"}}
			c.inside[branchRoot+"/roles/reader/reveal_password"] = object{"password": "npg_reader"}
		},
		`"password":"npg_reader"`, nil, "",
	},
	{
		"database", branchRoot + "/databases", `{"database":{"name":"core","owner_name":"owner"}}`,
		func(c *cloud) {
			c.inside[branchRoot+"/databases/core"] = object{"database": object{"name": "core", "owner_name": "owner"}}
		},
		`"name":"core"`,
		func(c *cloud) {
			c.inside[branchRoot+"/databases/core"] = object{"database": object{"name": "core", "owner_name": "other"}}
		},
		`there is a database "core" (br-p-1) already, and its owner is other and not owner`,
	},
	{
		"compute", existing + "/endpoints", `{"endpoint":{"branch_id":"br-p-1","type":"read_write","suspend_timeout_seconds":0}}`,
		func(c *cloud) {
			c.inside[existing+"/endpoints/ep-p-1"] = object{"endpoint": object{"id": "ep-p-1", "host": "h.p-1"}}
		},
		`"id":"ep-p-1"`, nil, "",
	},
}

func (c *cloud) putBranch(parent string) {
	c.inside[existing+"/branches"] = object{"branches": []object{
		{"id": "br-p-1", "name": "main", "default": true},
		{"id": "br-staging", "name": "staging", "parent_id": parent, "default": false},
	}}
	c.inside[existing+"/branches/br-staging/endpoints"] = object{"endpoints": []object{}}
}

func withPart(t *testing.T, one part) *cloud {
	t.Helper()
	c := newCloud(t)
	c.add(asked(t))
	if one.kind == "compute" {
		return c
	}
	// What a create that was done answers.
	c.inside["POST "+one.path] = object{one.kind: object{"name": "made"}}
	return c
}

func TestAPartWhoseAnswerWasLostIsTakenOver(t *testing.T) {
	t.Parallel()
	for _, one := range everyPart {
		for name, what := range map[string]trouble{
			"dropped": {drop: true}, "500": {status: 500}, "cut short": {status: 201, body: `{"`},
			"refused": {status: 409, body: fmt.Sprintf(`{"code":"","message":"%s already exists"}`, one.kind)},
			"limit":   {status: 422, body: `{"code":"ENDPOINTS_LIMIT_EXCEEDED","message":"read_write endpoint already exists"}`},
		} {
			t.Run(one.kind+" "+name, func(t *testing.T) {
				t.Parallel()
				c := withPart(t, one)
				what.do = func() { one.there(c) }
				c.trouble("POST "+one.path, what)
				var warnings []string
				run := Run{Warn: func(text string) { warnings = append(warnings, text) }}
				body, err := send(t, c.client(testSettings(t)), run, "POST", one.path, one.body)
				if err != nil || !strings.Contains(body, one.want) || !strings.Contains(body, `"operations":[]`) {
					t.Fatalf("%v %s", err, body)
				}
				if c.count("POST "+one.path) != 1 || len(warnings) != 1 || !strings.Contains(warnings[0], "taken over") {
					t.Errorf("%d creates, said %v", c.count("POST "+one.path), warnings)
				}
			})
		}
	}
}

func TestAPartThatWasNotMadeIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, one := range everyPart {
		if one.kind == "compute" {
			continue
		}
		t.Run(one.kind, func(t *testing.T) {
			t.Parallel()
			c := withPart(t, one)
			c.trouble("POST "+one.path, trouble{drop: true})
			body, err := send(t, c.client(testSettings(t)), Run{}, "POST", one.path, one.body)
			if err != nil || !strings.Contains(body, "made") || c.count("POST "+one.path) != 2 {
				t.Errorf("%v %s", err, body)
			}
		})
	}
}

func TestAnotherPartOfTheNameIsAnError(t *testing.T) {
	t.Parallel()
	for _, one := range everyPart {
		if one.other == nil {
			continue
		}
		t.Run(one.kind, func(t *testing.T) {
			t.Parallel()
			c := withPart(t, one)
			one.other(c)
			c.trouble("POST "+one.path, trouble{status: 409, body: `{"message":"already exists"}`})
			_, err := send(t, c.client(testSettings(t)), Run{}, "POST", one.path, one.body)
			if err == nil || !strings.Contains(err.Error(), one.said) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheDefaultBranchIsNotTakenOver(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.add(asked(t))
	c.trouble("POST "+existing+"/branches", trouble{status: 409, body: `{"code":"BRANCH_ALREADY_EXISTS","message":"branch already exists"}`})
	_, err := send(t, c.client(testSettings(t)), Run{}, "POST", existing+"/branches", `{"branch":{"name":"main"}}`)
	if err == nil || !strings.Contains(err.Error(), "it is the project's default branch") {
		t.Errorf("%v", err)
	}
}

func TestATakenOverComputeGetsItsSettings(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.add(asked(t))
	has := c.inside[branchRoot+"/endpoints"]["endpoints"].([]object)[0]
	has["autoscaling_limit_min_cu"], has["autoscaling_limit_max_cu"], has["suspend_timeout_seconds"] = 0.25, 1, 300
	c.inside[existing+"/endpoints/ep-p-1"] = object{"endpoint": has}
	c.trouble("POST "+existing+"/endpoints", trouble{drop: true})
	body := `{"endpoint":{"branch_id":"br-p-1","type":"read_write","autoscaling_limit_min_cu":0.25,"autoscaling_limit_max_cu":2,"suspend_timeout_seconds":0,"disabled":false}}`
	if _, err := send(t, c.client(testSettings(t)), Run{}, "POST", existing+"/endpoints", body); err != nil {
		t.Fatal(err)
	}
	want := `{"endpoint":{"autoscaling_limit_max_cu":2,"autoscaling_limit_min_cu":0.25}}`
	if got := c.bodies["PATCH "+existing+"/endpoints/ep-p-1"]; len(got) != 1 || got[0] != want {
		t.Errorf("changed %v", got)
	}
}

func TestWhatHasNoNameIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		existing + "/branches":  `{"branch":{}}`,
		existing + "/endpoints": `{"endpoint":{"branch_id":"br-p-1","type":"read_only"}}`,
		"/api_keys":             `{"key_name":"ci"}`,
		"/projects":             `{"project":{"region_id":"aws-us-east-2"}}`,
	} {
		for name, what := range map[string]trouble{"dropped": {drop: true}, "500": {status: 500}} {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				c := newCloud(t)
				c.trouble("POST "+path, what)
				_, err := send(t, c.client(testSettings(t)), Run{}, "POST", path, body)
				if err == nil || c.count("POST "+path) != 1 || !strings.Contains(err.Error(), "whether it was done is not known") {
					t.Errorf("%d sent, %v", c.count("POST "+path), err)
				}
			})
		}
	}
}
