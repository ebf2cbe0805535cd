package neonhttp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// fill puts into answers what the provider takes for granted and not every answer has: allowed_ips, without which it
// crashes; a branch's primary, without which it finds no default branch; and the branches of all pages.
type fill struct{ next sender }

func (f *fill) send(ctx context.Context, c call) (answer, error) {
	a, err := f.next.send(ctx, c)
	if err != nil || !a.ok() {
		return a, err
	}
	if c.is(http.MethodGet, "projects", "*", "branches") {
		if a, err = f.allPages(ctx, c, a); err != nil {
			return answer{}, err
		}
	}
	var whole map[string]json.RawMessage
	if json.Unmarshal(a.body, &whole) != nil {
		return a, nil
	}
	changed := inside(whole, "project", withAllowedIPs)
	changed = inside(whole, "branch", withPrimary) || changed
	changed = insideEach(whole, "branches", withPrimary) || changed
	if changed {
		a.body, err = json.Marshal(whole)
	}
	return a, err
}

// allPages appends the branches of the further pages to the first.
func (f *fill) allPages(ctx context.Context, c call, a answer) (answer, error) {
	query, err := url.ParseQuery(c.query)
	if err != nil || query.Has("cursor") {
		return a, nil
	}
	var first struct {
		Pagination struct {
			Next string `json:"next"`
		} `json:"pagination"`
	}
	if json.Unmarshal(a.body, &first) != nil || first.Pagination.Next == "" {
		return a, nil
	}
	all, err := branches(ctx, f.next, c, c.segments()[1], query.Get("search"))
	if err != nil {
		return answer{}, err
	}
	shown := make([]json.RawMessage, len(all))
	for i, each := range all {
		shown[i] = each.raw
	}
	content, err := json.Marshal(shown)
	if err != nil {
		return answer{}, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &whole); err != nil {
		return answer{}, failed(c, shape(err))
	}
	whole["branches"] = content
	delete(whole, "pagination")
	a.body, err = json.Marshal(whole)
	return a, err
}

// inside changes one object of an answer.
func inside(whole map[string]json.RawMessage, name string, change func(map[string]json.RawMessage) bool) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(whole[name], &object) != nil || object == nil || !change(object) {
		return false
	}
	content, err := json.Marshal(object)
	if err != nil {
		return false
	}
	whole[name] = content
	return true
}

// insideEach changes each object of a list of an answer.
func insideEach(whole map[string]json.RawMessage, name string, change func(map[string]json.RawMessage) bool) bool {
	var list []map[string]json.RawMessage
	if json.Unmarshal(whole[name], &list) != nil {
		return false
	}
	changed := false
	for _, each := range list {
		if each != nil {
			changed = change(each) || changed
		}
	}
	if !changed {
		return false
	}
	content, err := json.Marshal(list)
	if err != nil {
		return false
	}
	whole[name] = content
	return true
}

func withAllowedIPs(project map[string]json.RawMessage) bool {
	var settings map[string]json.RawMessage
	if json.Unmarshal(project["settings"], &settings) != nil || settings == nil || settings["allowed_ips"] != nil {
		return false
	}
	settings["allowed_ips"] = json.RawMessage(`{"ips":[],"protected_branches_only":false}`)
	content, err := json.Marshal(settings)
	if err != nil {
		return false
	}
	project["settings"] = content
	return true
}

func withPrimary(branch map[string]json.RawMessage) bool {
	switch {
	case branch["primary"] == nil && branch["default"] != nil:
		branch["primary"] = branch["default"]
	case branch["default"] == nil && branch["primary"] != nil:
		branch["default"] = branch["primary"]
	default:
		return false
	}
	return true
}
