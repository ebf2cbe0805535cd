package neonhttp

import (
	"context"
	"encoding/json"
	"net/http"
)

// update keeps out of a project's PATCH what did not change. The provider sends the maintenance window of its state with
// every change, and plans that may not edit one refuse the whole; it sends an empty allow-list object with every change,
// also where the list is to become empty, which that does not say.
type update struct{ next sender }

const nothing = `{"project":{}}`

func (u *update) send(ctx context.Context, c call) (answer, error) {
	if c.is(http.MethodPatch, "projects", "*") {
		if body, ok := trimmed(c.body, changes(ctx)); ok {
			c.body = body
		}
		if string(c.body) == nothing {
			// A change without anything in it is answered with what is there.
			return u.next.send(ctx, c.derived(http.MethodGet, nil, "projects", c.segments()[1]))
		}
	}
	return u.next.send(ctx, c)
}

// trimmed returns the body without the settings that did not change; ok is false where there are none to look at.
func trimmed(body []byte, changed func(attribute string) bool) ([]byte, bool) {
	var whole, project, settings map[string]json.RawMessage
	if changed == nil || json.Unmarshal(body, &whole) != nil || json.Unmarshal(whole["project"], &project) != nil ||
		json.Unmarshal(project["settings"], &settings) != nil {
		return nil, false
	}
	if !changed("maintenance_window") {
		delete(settings, "maintenance_window")
	}
	if !changed("allowed_ips") && !changed("allowed_ips_protected_branches_only") {
		delete(settings, "allowed_ips")
	} else if list, err := withoutGap(settings["allowed_ips"]); err == nil {
		settings["allowed_ips"] = list
	}
	var err error
	if project["settings"], err = json.Marshal(settings); err != nil {
		return nil, false
	}
	if len(settings) == 0 {
		delete(project, "settings")
	}
	if whole["project"], err = json.Marshal(project); err != nil {
		return nil, false
	}
	content, err := json.Marshal(whole)
	return content, err == nil
}

// withoutGap says of an allow-list without addresses that it is empty.
func withoutGap(list json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(list, &fields); err != nil {
		return nil, err
	}
	if _, given := fields["ips"]; given {
		return list, nil
	}
	return withField(list, "ips", []string{})
}
