package neonhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// branch, endpoint, database and role: what of them a take-over looks at. raw is each as the API shows it.
type branch struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	ParentID  string `json:"parent_id"`
	ParentLSN string `json:"parent_lsn"`
	Default   bool   `json:"default"`
	Primary   bool   `json:"primary"`
	raw       json.RawMessage
}

type endpoint struct {
	ID       string `json:"id"`
	BranchID string `json:"branch_id"`
	Type     string `json:"type"`
	Disabled bool   `json:"disabled"`
	raw      json.RawMessage
}

type database struct {
	Name      string `json:"name"`
	OwnerName string `json:"owner_name"`
	CreatedAt string `json:"created_at"`
	raw       json.RawMessage
}

type role struct {
	Name string `json:"name"`
	raw  json.RawMessage
}

// takeOver answers a create with the project that is there already: what is under way in it is waited for, what the
// create asks for and Neon can change is changed, and the whole answer is put together from reads.
func (p *projects) takeOver(ctx context.Context, c call, wanted wantedProject, found *project) (answer, error) {
	warn(ctx, fmt.Sprintf("project %q: taken over %s, which was made at %s and was not in the state", wanted.Name, found.ID, found.CreatedAt))
	if err := p.usable(ctx, c, found.ID, found.Name); err != nil {
		return answer{}, err
	}
	if err := p.converge(ctx, c, wanted, found); err != nil {
		return answer{}, err
	}
	now, err := p.read(ctx, c, found.ID)
	if err != nil {
		return answer{}, err
	}
	if now == nil {
		return answer{}, &Error{
			Method: c.method, Path: c.path,
			Message: fmt.Sprintf("project %s was deleted while it was taken over", found.ID), Advice: "tenantry up makes another one",
		}
	}
	return p.whole(ctx, c, wanted, now)
}

// usable waits until nothing is under way, and sees to it that what has failed in the making is made up for.
func (p *projects) usable(ctx context.Context, c call, id, name string) error {
	newest, err := p.waiting.quiet(ctx, c, id)
	if err != nil {
		return err
	}
	judged := map[string]bool{}
	for _, each := range newest {
		about := each.EndpointID
		if about == "" {
			about = each.BranchID
		}
		if about == "" || judged[about] || each.Status == "skipped" {
			continue
		}
		judged[about] = true
		switch {
		case !each.failed():
		case each.EndpointID != "":
			// The compute did not start, or did not take its settings: a start does both.
			err := p.change(ctx, c, c.derived(http.MethodPost, nil, "projects", id, "endpoints", each.EndpointID, "start"))
			if err != nil {
				return err
			}
		case each.Action == "create_timeline" || each.Action == "create_branch":
			broken := operationFailed(c, each)
			if known, ok := asError(broken); ok {
				known.Advice = fmt.Sprintf("the project is not usable: when nothing is in it, tenantry project delete %s --name %s, then tenantry up", id, name)
			}
			return broken
		}
	}
	return nil
}

// change sends a change of our own and waits for what it begins.
func (p *projects) change(ctx context.Context, c call, own call) error {
	a, err := p.waiting.send(ctx, own)
	if err != nil {
		return failed(own, err)
	}
	if !a.ok() {
		return refused(own, a)
	}
	return nil
}

// converge changes what an older definition of the project has otherwise. What cannot be changed here is not claimed: the
// answer is made of reads, so the next run shows the difference.
func (p *projects) converge(ctx context.Context, c call, wanted wantedProject, found *project) error {
	var has struct {
		HistoryRetentionSeconds json.RawMessage            `json:"history_retention_seconds"`
		DefaultEndpointSettings json.RawMessage            `json:"default_endpoint_settings"`
		Settings                map[string]json.RawMessage `json:"settings"`
	}
	if err := json.Unmarshal(found.raw, &has); err != nil {
		return failed(c, fmt.Errorf("project %s does not have the form that Neon documents: %w", found.ID, shape(err)))
	}
	change := map[string]any{}
	if !within(wanted.HistoryRetentionSeconds, has.HistoryRetentionSeconds) {
		change["history_retention_seconds"] = wanted.HistoryRetentionSeconds
	}
	if !within(wanted.DefaultEndpointSettings, has.DefaultEndpointSettings) {
		change["default_endpoint_settings"] = wanted.DefaultEndpointSettings
	}
	settings := map[string]any{}
	for name, value := range wanted.Settings {
		if !within(value, has.Settings[name]) {
			settings[name] = value
		}
	}
	if _, asked := wanted.Settings["allowed_ips"]; !asked && listsAddresses(has.Settings["allowed_ips"]) {
		settings["allowed_ips"] = map[string]any{"ips": []string{}, "protected_branches_only": false}
	}
	if len(settings) > 0 {
		change["settings"] = settings
	}
	if len(change) == 0 {
		return nil
	}
	return p.change(ctx, c, c.derived(http.MethodPatch, map[string]any{"project": change}, "projects", found.ID))
}

// within says whether what is there has everything that is wanted: objects key by key, everything else as it is.
func within(wanted, has json.RawMessage) bool {
	if len(wanted) == 0 {
		return true
	}
	var asked, there any
	if json.Unmarshal(wanted, &asked) != nil || (len(has) > 0 && json.Unmarshal(has, &there) != nil) {
		return false
	}
	return contains(there, asked)
}

func contains(there, asked any) bool {
	wanted, isObject := asked.(map[string]any)
	if !isObject {
		// Both come from the JSON decoder: lists, strings, numbers and booleans, which print alike when they are alike.
		return fmt.Sprint(there) == fmt.Sprint(asked)
	}
	has, _ := there.(map[string]any)
	for key, value := range wanted {
		if !contains(has[key], value) {
			return false
		}
	}
	return true
}

func listsAddresses(allowed json.RawMessage) bool {
	var list struct {
		IPs []string `json:"ips"`
	}
	return json.Unmarshal(allowed, &list) == nil && len(list.IPs) > 0
}

// whole puts the answer of a create together from reads.
func (p *projects) whole(ctx context.Context, c call, wanted wantedProject, found *project) (answer, error) {
	unfit := func(what string) error {
		return &Error{
			Method: c.method, Path: c.path,
			Message: fmt.Sprintf("Neon has a project named %q (%s), and %s", wanted.Name, found.ID, what),
			Advice:  "delete or rename it in Neon, then tenantry up",
		}
	}
	main, err := p.defaultBranch(ctx, c, found.ID)
	if err != nil {
		return answer{}, err
	}
	if main == nil {
		return answer{}, unfit("it has no default branch")
	}
	endpoints, err := p.endpoints(ctx, c, found.ID, main.ID)
	if err != nil {
		return answer{}, err
	}
	compute := slices.IndexFunc(endpoints, func(e endpoint) bool { return e.Type == "read_write" && !e.Disabled })
	if compute < 0 {
		return answer{}, unfit("its default branch has no compute that takes writes")
	}
	var listed struct {
		Databases []json.RawMessage `json:"databases"`
		Roles     []json.RawMessage `json:"roles"`
	}
	for _, kind := range []string{"databases", "roles"} {
		if err := ask(ctx, p.next, c.derived("GET", nil, "projects", found.ID, "branches", main.ID, kind), &listed); err != nil {
			return answer{}, err
		}
	}
	databases, err := decoded(listed.Databases, func(d *database, raw json.RawMessage) { d.raw = raw })
	if err != nil {
		return answer{}, failed(c, err)
	}
	roles, err := decoded(listed.Roles, func(r *role, raw json.RawMessage) { r.raw = raw })
	if err != nil {
		return answer{}, failed(c, err)
	}
	// The provider takes the oldest database for the project's own.
	slices.SortStableFunc(databases, func(a, b database) int { return strings.Compare(a.CreatedAt, b.CreatedAt) })
	own := slices.IndexFunc(databases, func(d database) bool {
		return wanted.Branch.DatabaseName == "" || d.Name == wanted.Branch.DatabaseName
	})
	if own < 0 {
		return answer{}, unfit("it has no database " + wanted.Branch.DatabaseName)
	}
	owner := wanted.Branch.RoleName
	if owner == "" {
		owner = databases[own].OwnerName
	}
	at := slices.IndexFunc(roles, func(r role) bool { return r.Name == owner })
	if at < 0 {
		return answer{}, unfit("it has no role " + owner)
	}
	password, err := p.password(ctx, c, found.ID, main.ID, owner)
	if err != nil {
		return answer{}, err
	}
	shownRoles := make([]any, len(roles))
	for i, each := range roles {
		shownRoles[i] = each.raw
	}
	if shownRoles[at], err = withField(roles[at].raw, "password", password); err != nil {
		return answer{}, failed(c, err)
	}
	connection, err := p.connection(ctx, c, found.ID, main.ID, endpoints[compute].ID, databases[own].Name, owner, password)
	if err != nil {
		return answer{}, err
	}
	shownDatabases := make([]json.RawMessage, len(databases))
	for i, each := range databases {
		shownDatabases[i] = each.raw
	}
	shownEndpoints := make([]json.RawMessage, len(endpoints))
	for i, each := range endpoints {
		shownEndpoints[i] = each.raw
	}
	return created(map[string]any{
		"project": found.raw, "branch": main.raw, "endpoints": shownEndpoints, "roles": shownRoles,
		"databases": shownDatabases, "connection_uris": []any{connection}, "operations": []any{},
	})
}

// created is the answer of a create that did not have to be made.
func created(body map[string]any) (answer, error) {
	content, err := json.Marshal(body)
	return answer{status: http.StatusCreated, header: http.Header{"Content-Type": {"application/json"}}, body: content}, err
}

func (p *projects) defaultBranch(ctx context.Context, c call, project string) (*branch, error) {
	all, err := branches(ctx, p.next, c, project, "")
	if err != nil {
		return nil, err
	}
	for _, each := range all {
		if each.Default || each.Primary {
			return &each, nil
		}
	}
	return nil, nil
}

// branches returns a project's branches, all pages; with search only those whose name or id has it.
func branches(ctx context.Context, next sender, c call, project, search string) ([]branch, error) {
	var raw []json.RawMessage
	query := url.Values{}
	if search != "" {
		query.Set("search", search)
	}
	for {
		var page struct {
			Branches   []json.RawMessage `json:"branches"`
			Pagination struct {
				Next string `json:"next"`
			} `json:"pagination"`
		}
		if err := ask(ctx, next, c.derived("GET", nil, "projects", project, "branches").with(query), &page); err != nil {
			return nil, err
		}
		raw = append(raw, page.Branches...)
		if len(page.Branches) == 0 || page.Pagination.Next == "" || page.Pagination.Next == query.Get("cursor") {
			break
		}
		query.Set("cursor", page.Pagination.Next)
	}
	all, err := decoded(raw, func(b *branch, raw json.RawMessage) { b.raw = raw })
	if err != nil {
		return nil, failed(c, err)
	}
	return all, nil
}

func (p *projects) endpoints(ctx context.Context, c call, project, branch string) ([]endpoint, error) {
	return endpointsOf(ctx, p.next, c, project, branch)
}

func endpointsOf(ctx context.Context, next sender, c call, project, branch string) ([]endpoint, error) {
	var listed struct {
		Endpoints []json.RawMessage `json:"endpoints"`
	}
	if err := ask(ctx, next, c.derived("GET", nil, "projects", project, "branches", branch, "endpoints"), &listed); err != nil {
		return nil, err
	}
	all, err := decoded(listed.Endpoints, func(e *endpoint, raw json.RawMessage) { e.raw = raw })
	if err != nil {
		return nil, failed(c, err)
	}
	return all, nil
}

func (p *projects) password(ctx context.Context, c call, project, branch, role string) (string, error) {
	return passwordOf(ctx, p.next, c, project, branch, role)
}

func passwordOf(ctx context.Context, next sender, c call, project, branch, role string) (string, error) {
	var revealed struct {
		Password string `json:"password"`
	}
	own := c.derived("GET", nil, "projects", project, "branches", branch, "roles", role, "reveal_password")
	if err := ask(ctx, next, own, &revealed); err != nil {
		return "", err
	}
	if revealed.Password == "" {
		return "", failed(own, errors.New("Neon keeps no password of this role"))
	}
	return revealed.Password, nil
}

// connection is what a create's connection_uris hold, by the API's own two URIs.
func (p *projects) connection(
	ctx context.Context, c call, project, branch, endpoint, database, role, password string,
) (map[string]any, error) {
	query := url.Values{"branch_id": {branch}, "endpoint_id": {endpoint}, "database_name": {database}, "role_name": {role}}
	uris := map[bool]string{}
	hosts := map[bool]string{}
	for _, pooled := range []bool{false, true} {
		if pooled {
			query.Set("pooled", "true")
		}
		own := c.derived("GET", nil, "projects", project, "connection_uri").with(query)
		var told struct {
			URI string `json:"uri"`
		}
		if err := ask(ctx, p.next, own, &told); err != nil {
			return nil, err
		}
		uri, err := url.Parse(told.URI)
		if err != nil || uri.Host == "" {
			// Not with the URI itself: it holds a password.
			return nil, failed(own, errors.New("the answer is not the URI of a database"))
		}
		uris[pooled], hosts[pooled] = told.URI, uri.Host
	}
	return map[string]any{
		"connection_uri": uris[false],
		"connection_parameters": map[string]any{
			"database": database, "role": role, "password": password, "host": hosts[false], "pooler_host": hosts[true],
		},
	}, nil
}

// decoded decodes each of a list and keeps it as the API showed it.
func decoded[T any](raw []json.RawMessage, keep func(*T, json.RawMessage)) ([]T, error) {
	all := make([]T, len(raw))
	for i, each := range raw {
		if err := json.Unmarshal(each, &all[i]); err != nil {
			return nil, fmt.Errorf("a list does not have the form that Neon documents: %w", shape(err))
		}
		keep(&all[i], each)
	}
	return all, nil
}

// withField returns a JSON object with one field more.
func withField(object json.RawMessage, name string, value any) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, shape(err)
	}
	content, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	fields[name] = content
	return json.Marshal(fields)
}
