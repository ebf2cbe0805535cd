package neonhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// parts makes the creates of what is in a project idempotent: branches, computes that take writes, roles, databases. Neon
// keeps each of them unique, so a create may be sent again: at worst it is refused because the first one landed.
type parts struct {
	next     sender
	retry    *retry
	waiting  *waiting
	clock    clock
	settings Settings
}

// seek looks for the object that a create asks for, and returns the create's answer made of reads; ok is false where it
// is not there. An object that is not the wanted one is an error.
type seek func(ctx context.Context, c call) (a answer, ok bool, err error)

func (p *parts) send(ctx context.Context, c call) (answer, error) {
	find := p.finder(c)
	if find == nil {
		return p.next.send(ctx, c)
	}
	left := p.retry.begin()
	for tried := 1; ; tried++ {
		a, err := p.next.send(ctx, c)
		var out *lost
		wasLost := errors.As(err, &out) || (err == nil && (a.broken() || a.status == http.StatusRequestTimeout))
		if !wasLost && !(err == nil && exists(a)) {
			return a, err
		}
		there, ok, seekErr := find(ctx, c)
		if seekErr != nil {
			return answer{}, seekErr
		}
		if ok {
			return there, nil
		}
		if !wasLost || tried >= p.settings.Attempts || p.clock.sleep(ctx, left.growing(tried-1)) != nil {
			return a, err
		}
	}
}

// exists says whether a refusal may mean that the object is there already.
func exists(a answer) bool {
	if a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity {
		return false
	}
	said := a.problem()
	return strings.HasSuffix(said.Code, "_ALREADY_EXISTS") || strings.Contains(said.Message, "already exists")
}

// finder returns how the object of a create is looked for; nil where the call is none, or its object has no name to be
// known by.
func (p *parts) finder(c call) seek {
	switch {
	case c.is(http.MethodPost, "projects", "*", "branches"):
		var body struct {
			Branch struct {
				Name            string `json:"name"`
				ParentID        string `json:"parent_id"`
				ParentLSN       string `json:"parent_lsn"`
				ParentTimestamp string `json:"parent_timestamp"`
			} `json:"branch"`
		}
		if json.Unmarshal(c.body, &body) != nil || body.Branch.Name == "" {
			return nil
		}
		wanted := branch{Name: body.Branch.Name, ParentID: body.Branch.ParentID, ParentLSN: body.Branch.ParentLSN}
		return func(ctx context.Context, c call) (answer, bool, error) { return p.branch(ctx, c, wanted) }
	case c.is(http.MethodPost, "projects", "*", "endpoints"):
		var body struct {
			Endpoint map[string]json.RawMessage `json:"endpoint"`
		}
		var wanted endpoint
		if json.Unmarshal(c.body, &body) != nil || json.Unmarshal(body.Endpoint["branch_id"], &wanted.BranchID) != nil ||
			json.Unmarshal(body.Endpoint["type"], &wanted.Type) != nil || wanted.Type != "read_write" {
			return nil
		}
		return func(ctx context.Context, c call) (answer, bool, error) {
			return p.endpoint(ctx, c, wanted.BranchID, body.Endpoint)
		}
	case c.is(http.MethodPost, "projects", "*", "branches", "*", "roles"):
		var body struct {
			Role role `json:"role"`
		}
		if json.Unmarshal(c.body, &body) != nil || body.Role.Name == "" {
			return nil
		}
		return func(ctx context.Context, c call) (answer, bool, error) { return p.role(ctx, c, body.Role.Name) }
	case c.is(http.MethodPost, "projects", "*", "branches", "*", "databases"):
		var body struct {
			Database database `json:"database"`
		}
		if json.Unmarshal(c.body, &body) != nil || body.Database.Name == "" {
			return nil
		}
		return func(ctx context.Context, c call) (answer, bool, error) { return p.database(ctx, c, body.Database) }
	default:
		return nil
	}
}

func (p *parts) branch(ctx context.Context, c call, wanted branch) (answer, bool, error) {
	project := c.segments()[1]
	found, err := p.namedBranch(ctx, c, project, wanted.Name)
	if err != nil || found == nil {
		return answer{}, false, err
	}
	var differing []string
	if found.Default || found.Primary {
		differing = append(differing, "it is the project's default branch")
	}
	if wanted.ParentID != "" && found.ParentID != wanted.ParentID {
		differing = append(differing, fmt.Sprintf("its parent is %s and not %s", found.ParentID, wanted.ParentID))
	}
	if wanted.ParentLSN != "" && found.ParentLSN != wanted.ParentLSN {
		differing = append(differing, fmt.Sprintf("it begins at %s and not at %s", found.ParentLSN, wanted.ParentLSN))
	}
	if len(differing) > 0 {
		return answer{}, false, p.other(c, "branch", wanted.Name, found.ID, differing)
	}
	ended, err := p.waiting.quiet(ctx, c, project)
	if err != nil {
		return answer{}, false, err
	}
	for _, each := range ended {
		// It never became one: Neon takes no compute for it, and nobody could write to it.
		if each.BranchID == found.ID && each.Action == "create_branch" && each.failed() {
			broken := operationFailed(c, each)
			if known, ok := asError(broken); ok {
				known.Advice = fmt.Sprintf("branch %q is not usable: delete %s in Neon, then tenantry up", wanted.Name, found.ID)
			}
			return answer{}, false, broken
		}
	}
	warn(ctx, fmt.Sprintf("branch %q of project %s: taken over %s, which was not in the state", wanted.Name, project, found.ID))
	// As it is now that its operations have ended.
	if found, err = p.namedBranch(ctx, c, project, wanted.Name); err != nil || found == nil {
		return answer{}, false, err
	}
	computes, err := endpointsOf(ctx, p.next, c, project, found.ID)
	if err != nil {
		return answer{}, false, err
	}
	shown := make([]json.RawMessage, len(computes))
	for i, each := range computes {
		shown[i] = each.raw
	}
	return taken(map[string]any{"branch": found.raw, "endpoints": shown})
}

func (p *parts) namedBranch(ctx context.Context, c call, project, name string) (*branch, error) {
	all, err := branches(ctx, p.next, c, project, name)
	if err != nil {
		return nil, err
	}
	for _, each := range all {
		if each.Name == name {
			return &each, nil
		}
	}
	return nil, nil
}

func (p *parts) endpoint(ctx context.Context, c call, branchID string, wanted map[string]json.RawMessage) (answer, bool, error) {
	project := c.segments()[1]
	computes, err := endpointsOf(ctx, p.next, c, project, branchID)
	if err != nil {
		return answer{}, false, err
	}
	for _, each := range computes {
		if each.Type != "read_write" {
			continue
		}
		if _, err := p.waiting.quiet(ctx, c, project); err != nil {
			return answer{}, false, err
		}
		warn(ctx, fmt.Sprintf("compute of branch %s of project %s: taken over %s, which was not in the state", branchID, project, each.ID))
		return p.converged(ctx, c, project, each, wanted)
	}
	return answer{}, false, nil
}

// converged gives a compute the settings that its create asks for, and returns it as it is then.
func (p *parts) converged(
	ctx context.Context, c call, project string, found endpoint, wanted map[string]json.RawMessage,
) (answer, bool, error) {
	var has map[string]json.RawMessage
	if err := json.Unmarshal(found.raw, &has); err != nil {
		return answer{}, false, failed(c, shape(err))
	}
	change := map[string]json.RawMessage{}
	for name, value := range wanted {
		switch name {
		case "branch_id", "type", "region_id", "provisioner":
			// By these it was found, or its project decides them.
		case "suspend_timeout_seconds":
			// The provider sends 0 where nothing was asked for.
			if string(value) != "0" && !within(value, has[name]) {
				change[name] = value
			}
		default:
			if !within(value, has[name]) {
				change[name] = value
			}
		}
	}
	if len(change) > 0 {
		// Neon checks the limits against each other: both travel.
		for _, limit := range []string{"autoscaling_limit_min_cu", "autoscaling_limit_max_cu"} {
			if value, asked := wanted[limit]; asked {
				change[limit] = value
			}
		}
		own := c.derived(http.MethodPatch, map[string]any{"endpoint": change}, "projects", project, "endpoints", found.ID)
		a, err := p.waiting.send(ctx, own)
		if err != nil {
			return answer{}, false, failed(own, err)
		}
		if !a.ok() {
			return answer{}, false, refused(own, a)
		}
	}
	var now map[string]any
	var read map[string]json.RawMessage
	if err := ask(ctx, p.next, c.derived("GET", nil, "projects", project, "endpoints", found.ID), &read); err != nil {
		return answer{}, false, err
	}
	now = map[string]any{"endpoint": read["endpoint"]}
	return taken(now)
}

func (p *parts) role(ctx context.Context, c call, name string) (answer, bool, error) {
	at := c.segments()
	project, branchID := at[1], at[3]
	var read struct {
		Role json.RawMessage `json:"role"`
	}
	if err := ask(ctx, p.next, c.derived("GET", nil, "projects", project, "branches", branchID, "roles", name), &read); err != nil {
		if IsGone(err) {
			return answer{}, false, nil
		}
		return answer{}, false, err
	}
	if _, err := p.waiting.quiet(ctx, c, project); err != nil {
		return answer{}, false, err
	}
	password, err := passwordOf(ctx, p.next, c, project, branchID, name)
	if err != nil {
		return answer{}, false, err
	}
	shown, err := withField(read.Role, "password", password)
	if err != nil {
		return answer{}, false, failed(c, err)
	}
	warn(ctx, fmt.Sprintf("role %q of branch %s: taken over, it was not in the state", name, branchID))
	return taken(map[string]any{"role": shown})
}

func (p *parts) database(ctx context.Context, c call, wanted database) (answer, bool, error) {
	at := c.segments()
	project, branchID := at[1], at[3]
	var read struct {
		Database json.RawMessage `json:"database"`
	}
	own := c.derived("GET", nil, "projects", project, "branches", branchID, "databases", wanted.Name)
	if err := ask(ctx, p.next, own, &read); err != nil {
		if IsGone(err) {
			return answer{}, false, nil
		}
		return answer{}, false, err
	}
	var found database
	if err := json.Unmarshal(read.Database, &found); err != nil {
		return answer{}, false, failed(own, shape(err))
	}
	if wanted.OwnerName != "" && found.OwnerName != wanted.OwnerName {
		return answer{}, false, p.other(c, "database", wanted.Name, branchID,
			[]string{fmt.Sprintf("its owner is %s and not %s", found.OwnerName, wanted.OwnerName)})
	}
	if _, err := p.waiting.quiet(ctx, c, project); err != nil {
		return answer{}, false, err
	}
	warn(ctx, fmt.Sprintf("database %q of branch %s: taken over, it was not in the state", wanted.Name, branchID))
	return taken(map[string]any{"database": read.Database})
}

func taken(body map[string]any) (answer, bool, error) {
	body["operations"] = []any{}
	a, err := created(body)
	return a, err == nil, err
}

func (p *parts) other(c call, kind, name, id string, differing []string) error {
	return &Error{
		Method: c.method, Path: c.path,
		Message: fmt.Sprintf("there is a %s %q (%s) already, and %s", kind, name, id, strings.Join(differing, ", ")),
		Advice:  "delete or rename it in Neon, or take it over with pulumi import, then tenantry up",
	}
}
