package neonhttp

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	createRoute = "POST /projects"
	createBody  = `{"project":{"name":"ns--acme--web","org_id":"org-1","region_id":"aws-us-east-2","pg_version":17,
		"history_retention_seconds":21600,"branch":{"name":"main","role_name":"owner"},
		"default_endpoint_settings":{"autoscaling_limit_min_cu":0.25,"autoscaling_limit_max_cu":1}}}`
)

func asked(t *testing.T) object {
	t.Helper()
	var body struct{ Project object }
	if err := json.Unmarshal([]byte(createBody), &body); err != nil {
		t.Fatal(err)
	}
	return body.Project
}

// create asks for the project once, with a client of its own as each run has.
func create(t *testing.T, c *cloud, settings Settings) (string, []string, error) {
	t.Helper()
	var warnings []string
	body, err := send(t, c.client(settings), Run{Warn: func(text string) { warnings = append(warnings, text) }}, "POST", "/projects", createBody)
	return body, warnings, err
}

func intentFiles(t *testing.T, settings Settings) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(settings.StateFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func projectIn(t *testing.T, body string) string {
	t.Helper()
	var made struct {
		Project struct {
			ID string `json:"id"`
		} `json:"project"`
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return made.Project.ID
}

func TestANameThatIsNotThereIsMadeOnce(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.add(object{"name": "ns--acme--web-2", "org_id": "org-1"})
	body, warnings, err := create(t, c, settings)
	if err != nil || len(warnings) != 0 || len(c.projects) != 2 || projectIn(t, body) != c.projects[1]["id"] {
		t.Errorf("%v %v %v %s", err, warnings, c.projects, body)
	}
	if c.clock.total() != 0 {
		t.Errorf("waited %v", c.clock.slept)
	}
	if left := intentFiles(t, settings); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestALostAnswerIsLookedForAndNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]trouble{
		"dropped":        {drop: true, after: true},
		"500":            {status: 500, after: true, body: `{"code":"","message":"oops"}`},
		"502 of a proxy": {status: 502, after: true, body: "<html>"},
		"503":            {status: 503, after: true, body: `{"code":"","message":"unavailable"}`},
		"cut short":      {status: 201, after: true, body: `{"project":{"id":"p-`},
		"not JSON":       {status: 201, after: true, body: "<html>"},
		"incomplete":     {status: 201, after: true, body: `{"project":{"id":"p-1"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, settings := newCloud(t), testSettings(t)
			c.trouble(createRoute, what)
			body, warnings, err := create(t, c, settings)
			if err != nil {
				t.Fatal(err)
			}
			if c.count(createRoute) != 1 || len(c.projects) != 1 || projectIn(t, body) != "p-1" {
				t.Errorf("%d creates, %v", c.count(createRoute), c.projects)
			}
			if len(warnings) != 1 || !strings.Contains(warnings[0], `project "ns--acme--web": taken over p-1, which was made at 2026-11-22T08:00:01Z`) {
				t.Errorf("said %v", warnings)
			}
			if left := intentFiles(t, settings); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestACreateThatDidNotHappenIsSentAgainAfterTheGrace(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]trouble{
		"dropped": {drop: true}, "500": {status: 500}, "504": {status: 504, body: "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, settings := newCloud(t), testSettings(t)
			c.trouble(createRoute, what)
			if _, _, err := create(t, c, settings); err != nil {
				t.Fatal(err)
			}
			if len(c.projects) != 1 || c.count(createRoute) != 2 {
				t.Errorf("%d creates, %v", c.count(createRoute), c.projects)
			}
			if waited := c.clock.total(); waited < settings.LostFor {
				t.Errorf("sent again after %v", waited)
			}
		})
	}
}

func TestARequestThatLandsLateIsFoundInTheGrace(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{drop: true})
	c.clock.during = func(time.Duration) {
		if c.clock.total() > 5*time.Second && len(c.projects) == 0 {
			c.add(asked(t))
		}
	}
	_, warnings, err := create(t, c, settings)
	if err != nil || len(c.projects) != 1 || c.count(createRoute) != 1 || len(warnings) != 1 {
		t.Errorf("%v %v %v", err, c.projects, warnings)
	}
}

func TestTwoAfterASecondRequestAreSaid(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{drop: true}, trouble{do: func() { c.add(asked(t)) }})
	_, _, err := create(t, c, settings)
	if err == nil || !strings.Contains(err.Error(), "Neon has 2 projects named") ||
		!strings.Contains(err.Error(), "p-1") || !strings.Contains(err.Error(), "p-3") {
		t.Errorf("%v", err)
	}
}

func TestACreateThatIsNeverAnsweredIsGivenUpAndItsIntentStays(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{drop: true}, trouble{drop: true}, trouble{drop: true}, trouble{drop: true})
	_, _, err := create(t, c, settings)
	if err == nil || !strings.Contains(err.Error(), `whether project "ns--acme--web" was made is not known`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	left := intentFiles(t, settings)
	if c.count(createRoute) != sends || len(left) != 1 {
		t.Fatalf("%d creates, left %v", c.count(createRoute), left)
	}
	about, err := os.Stat(left[0])
	if err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", err, about.Mode())
	}
	content, err := os.ReadFile(left[0])
	if err != nil || strings.Contains(string(content), "napi_") {
		t.Errorf("%v %s", err, content)
	}
	var said note
	if err := json.Unmarshal(content, &said); err != nil || said.PID != os.Getpid() || said.Name != "ns--acme--web" || !said.WrittenAt.Equal(c.clock.now().Add(-settings.LostFor)) {
		t.Errorf("%v %s at %v", err, content, c.clock.now())
	}
}

func TestTheIntentOfAProcessThatDiedIsWaitedFor(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	dead := &intents{folder: settings.StateFolder, clock: c.clock}
	held, err := dead.hold(context.Background(), "ns--acme--web", "org-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.write(); err != nil {
		t.Fatal(err)
	}
	_ = held.file.Close()
	c.clock.at = c.clock.at.Add(20 * time.Second)
	began := c.clock.now()
	late := began.Add(30 * time.Second)
	c.clock.during = func(time.Duration) {
		if c.clock.now().After(late) && len(c.projects) == 0 {
			c.add(asked(t))
		}
	}
	_, warnings, err := create(t, c, settings)
	if err != nil || c.count(createRoute) != 0 || len(c.projects) != 1 || len(warnings) != 1 {
		t.Errorf("%v, %d creates, %v", err, c.count(createRoute), warnings)
	}
}

func TestAfterTheGraceOfAnIntentTheProjectIsMade(t *testing.T) {
	t.Parallel()
	for age, wait := range map[time.Duration]time.Duration{20 * time.Second: 40 * time.Second, 2 * time.Minute: 0} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			c, settings := newCloud(t), testSettings(t)
			held, err := (&intents{folder: settings.StateFolder, clock: c.clock}).hold(context.Background(), "ns--acme--web", "org-1", 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := held.write(); err != nil {
				t.Fatal(err)
			}
			_ = held.file.Close()
			c.clock.at = c.clock.at.Add(age)
			if _, _, err := create(t, c, settings); err != nil || c.count(createRoute) != 1 || c.clock.total() != wait {
				t.Errorf("%v, %d creates after %v", err, c.count(createRoute), c.clock.total())
			}
			if left := intentFiles(t, settings); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAProjectThatDiffersIsAnErrorWithItsID(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	other := asked(t)
	other["region_id"], other["pg_version"] = "aws-eu-central-1", 16.0
	c.add(other)
	_, _, err := create(t, c, settings)
	want := `Neon has a project named "ns--acme--web" (p-1 of 2026-11-22T08:00:01Z), and it has region aws-eu-central-1 and not aws-us-east-2, PostgreSQL 16 and not 17, which Neon cannot change: `
	if err == nil || !strings.Contains(err.Error(), want) || c.count(createRoute) != 0 {
		t.Errorf("%v", err)
	}
}

func TestAProjectOfAnotherOrganizationIsNobodys(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	other := asked(t)
	other["org_id"] = "org-2"
	c.add(other)
	if _, _, err := create(t, c, settings); err != nil || len(c.projects) != 2 {
		t.Errorf("%v %v", err, c.projects)
	}
}

func TestAProjectThatWasJustDeletedIsNotTakenOver(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.add(asked(t))
	client := c.client(settings)
	if _, err := send(t, client, Run{}, "DELETE", "/projects/p-1", ""); err != nil {
		t.Fatal(err)
	}
	// The list is behind.
	c.projects = append(c.projects, c.inside["/projects/p-1"]["project"].(object))
	body, err := send(t, client, Run{}, "POST", "/projects", createBody)
	if err != nil || projectIn(t, body) == "p-1" {
		t.Errorf("%v %s", err, body)
	}
}

func TestARefusalIsHandedOnAndLeavesNoIntent(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{
		status: 422, body: `{"code":"PROJECTS_LIMIT_EXCEEDED","message":"user projects limit of 1 exceeded, got 1"}`,
		header: map[string]string{requestIDHeader: "r-1"},
	})
	_, _, err := create(t, c, settings)
	want := "POST /projects: Neon answered 422 PROJECTS_LIMIT_EXCEEDED: user projects limit of 1 exceeded, got 1 (request r-1): correct what it names, then tenantry up"
	if err == nil || err.Error() != want || c.count(createRoute) != 1 || len(intentFiles(t, settings)) != 0 {
		t.Errorf("%v", err)
	}
}

func TestABusyAPIIsAskedAgainAndMakesOne(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	for _, status := range []int{429, 423, 503, 429} {
		c.trouble(createRoute, trouble{status: status, body: `{"message":"busy"}`, header: map[string]string{"Retry-After": "3"}})
	}
	if _, _, err := create(t, c, settings); err != nil || len(c.projects) != 1 || c.clock.total() < 12*time.Second {
		t.Errorf("%v %v after %v", err, c.projects, c.clock.total())
	}
}

func TestAnExhaustedBudgetIsNoErrorThatUpstreamRunsAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{423, 429, 500} {
		c, settings := newCloud(t), testSettings(t)
		settings.RetryFor = 0
		for range sends {
			c.trouble(createRoute, trouble{status: status, body: `{"message":"no"}`})
		}
		_, _, err := create(t, c, settings)
		if known, ok := asError(err); !ok || strings.Contains(fmt.Sprintf("%T", known), "sdk") {
			t.Errorf("%d: %T %v", status, err, err)
		}
	}
}

func TestALookUpThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	for range settings.Attempts {
		c.trouble("GET /projects", trouble{status: 500})
	}
	if _, _, err := create(t, c, settings); err == nil || c.count(createRoute) != 0 || len(intentFiles(t, settings)) != 0 {
		t.Errorf("%v", err)
	}
}

func TestACancelledCreateStopsLookingAndKeepsTheIntent(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.trouble(createRoute, trouble{drop: true})
	ctx, cancel := context.WithCancel(context.Background())
	c.clock.during = func(time.Duration) { cancel() }
	_, err := c.client(settings).For(ctx, Run{}).Do(request(t, "POST", PublicURL+"/projects", createBody))
	if err == nil || c.count(createRoute) != 1 || len(c.clock.slept) > 1 || len(intentFiles(t, settings)) != 1 {
		t.Errorf("%v, slept %v", err, c.clock.slept)
	}
}
