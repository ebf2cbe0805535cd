package neonhttp

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

// update keeps out of a project's PATCH what did not change. The provider sends the maintenance window of its state with
// every change, and plans that may not edit one refuse the whole. It sends an empty allow-list object with every change,
// also where the list is to become empty, which that does not say. It leaves out of a quota each limit that is lifted.
type update struct{ next sender }

const nothing = `{"project":{}}`

// said are the settings that the provider sends with every change, by name, with the attributes that they follow.
var said = map[string][]string{
	"allowed_ips":                {"allowed_ips", "allowed_ips_protected_branches_only"},
	"block_public_connections":   {"block_public_connections"},
	"block_vpc_connections":      {"block_vpc_connections"},
	"enable_logical_replication": {"enable_logical_replication"},
	"maintenance_window":         {"maintenance_window"},
}

// limits are those of a quota.
var limits = []string{
	"active_time_seconds", "compute_time_seconds", "data_transfer_bytes", "logical_size_bytes", "written_data_bytes",
}

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
	for name, attributes := range said {
		if !slices.ContainsFunc(attributes, changed) {
			delete(settings, name)
		}
	}
	if list, err := withoutGap(settings["allowed_ips"]); err == nil {
		settings["allowed_ips"] = list
	}
	if quota, err := withLifted(settings["quota"]); err == nil && changed("quota") {
		settings["quota"] = quota
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

// withLifted says of each limit that a quota does not name that there is none: 0 in Neon's API.
func withLifted(quota json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(quota, &fields); err != nil {
		return nil, err
	}
	for _, limit := range limits {
		if _, given := fields[limit]; !given {
			fields[limit] = json.RawMessage("0")
		}
	}
	return json.Marshal(fields)
}
