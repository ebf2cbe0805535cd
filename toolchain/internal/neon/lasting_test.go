package neon

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
)

// inAPI is how the API writes a setting.
func inAPI(name, value string) string {
	if name == "allowed_ips_protected_branches_only" {
		// Within a list that is there: upstream reads it only then.
		return `"allowed_ips":{"ips":[],"protected_branches_only":` + value + `}`
	}
	return `"` + name + `":` + value
}

// planned returns what a project with these settings in Neon would change to become what is asked for.
func planned(t *testing.T, settings string, asked map[string]any) *terraform.InstanceDiff {
	t.Helper()
	answers := project("h.example")
	const standard = `"settings":{`
	route := "GET /projects/" + projectID
	body := answers[route].body
	if strings.Contains(settings, "allowed_ips") {
		body = strings.Replace(body, `"allowed_ips":{"ips":[],"protected_branches_only":false}`, settings, 1)
	} else {
		body = strings.Replace(body, standard, standard+settings+",", 1)
	}
	answers[route] = answer{200, body}
	_, p := serve(t, answers)
	r := p.ResourcesMap["neon_project"]
	before, diags := r.RefreshWithoutUpgrade(context.Background(), &terraform.InstanceState{ID: projectID}, p.Meta())
	fail(t, diags)
	whole := map[string]any{"name": "acme", "history_retention_seconds": 21600}
	for name, value := range asked {
		whole[name] = value
	}
	change, err := r.Diff(context.Background(), before, terraform.NewResourceConfigRaw(whole), p.Meta())
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestASettingOfWhichNothingIsSaidStays(t *testing.T) {
	for _, name := range lasting {
		if change := planned(t, inAPI(name, "true"), nil); change != nil && change.Attributes[name] != nil {
			t.Errorf("%s: %v", name, change.Attributes[name])
		}
		if change := planned(t, inAPI(name, "true"), map[string]any{name: "no"}); change == nil || change.Attributes[name] == nil {
			t.Errorf("%s: what is said is not compared", name)
		}
	}
}

func TestASettingIsTurnedOnInPlace(t *testing.T) {
	for _, name := range lasting {
		change := planned(t, inAPI(name, "false"), map[string]any{name: "yes"})
		if change == nil || change.Attributes[name] == nil || change.RequiresNew() {
			t.Errorf("%s: %v", name, change)
		}
	}
}
