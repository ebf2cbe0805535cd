package neonhttp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const projectsPage = 100

// project is what decides whether one is ours.
type project struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	OrgID     string `json:"org_id"`
	RegionID  string `json:"region_id"`
	PgVersion int    `json:"pg_version"`
	CreatedAt string `json:"created_at"`
	// raw is the project as the API shows it.
	raw json.RawMessage
}

// wantedProject is what a create asks for.
type wantedProject struct {
	Name      string `json:"name"`
	OrgID     string `json:"org_id"`
	RegionID  string `json:"region_id"`
	PgVersion int    `json:"pg_version"`
	Branch    struct {
		RoleName     string `json:"role_name"`
		DatabaseName string `json:"database_name"`
	} `json:"branch"`
	HistoryRetentionSeconds json.RawMessage            `json:"history_retention_seconds"`
	DefaultEndpointSettings json.RawMessage            `json:"default_endpoint_settings"`
	Settings                map[string]json.RawMessage `json:"settings"`
}

// find returns the one live project of the wanted name that can be ours, or nil. It fails where there are two, and where
// the one differs in what Neon cannot change.
func (p *projects) find(ctx context.Context, c call, wanted wantedProject) (*project, error) {
	found, err := p.named(ctx, c, wanted)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if len(found) > 1 {
		return nil, &Error{
			Method: c.method, Path: c.path,
			Message: fmt.Sprintf("Neon has %d projects named %q (%s), and a name is how ours are known", len(found), wanted.Name, listed(found)),
			Advice:  "keep the one with the data and delete or rename the others in Neon, then tenantry up",
		}
	}
	if differing := found[0].differing(wanted); differing != "" {
		return nil, &Error{
			Method: c.method, Path: c.path,
			Message: fmt.Sprintf("Neon has a project named %q (%s), and it has %s, which Neon cannot change", wanted.Name, listed(found), differing),
			Advice:  "write what it has into the registry, or delete or rename it in Neon, then tenantry up",
		}
	}
	return &found[0], nil
}

// named returns the live projects of exactly this name, each as a read of itself shows it.
func (p *projects) named(ctx context.Context, c call, wanted wantedProject) ([]project, error) {
	var ids []string
	query := url.Values{"limit": {strconv.Itoa(projectsPage)}, "search": {wanted.Name}}
	if wanted.OrgID != "" {
		query.Set("org_id", wanted.OrgID)
	}
	for {
		var page struct {
			Projects    []project `json:"projects"`
			Unavailable []string  `json:"unavailable_project_ids"`
			Pagination  struct {
				Cursor string `json:"cursor"`
			} `json:"pagination"`
		}
		if err := ask(ctx, p.next, c.derived("GET", nil, "projects").with(query), &page); err != nil {
			return nil, err
		}
		for _, each := range page.Projects {
			if each.Name == wanted.Name {
				ids = append(ids, each.ID)
			}
		}
		// Known to exist, and not read in time: one of them may have the name.
		ids = append(ids, page.Unavailable...)
		last := len(page.Projects) == 0 || page.Pagination.Cursor == "" || page.Pagination.Cursor == query.Get("cursor")
		if last {
			break
		}
		query.Set("cursor", page.Pagination.Cursor)
	}
	var found []project
	for _, id := range ids {
		one, err := p.read(ctx, c, id)
		if err != nil {
			return nil, err
		}
		if one != nil && one.Name == wanted.Name {
			found = append(found, *one)
		}
	}
	return found, nil
}

// read returns a project, or nil where it is gone: the list may still have one that was just deleted.
func (p *projects) read(ctx context.Context, c call, id string) (*project, error) {
	if p.deletedHere(id) {
		return nil, nil
	}
	var answer struct {
		Project json.RawMessage `json:"project"`
	}
	if err := ask(ctx, p.next, c.derived("GET", nil, "projects", id), &answer); err != nil {
		if IsGone(err) {
			return nil, nil
		}
		return nil, err
	}
	found := project{raw: answer.Project}
	if err := json.Unmarshal(answer.Project, &found); err != nil {
		return nil, failed(c, fmt.Errorf("project %s does not have the form that Neon documents: %w", id, shape(err)))
	}
	return &found, nil
}

// differing says in what of the unchangeable a project is not the wanted one; "" where in nothing that was asked for.
func (p *project) differing(wanted wantedProject) string {
	var list []string
	compare := func(what, has, asked string) {
		if asked != "" && has != "" && has != asked {
			list = append(list, fmt.Sprintf("%s %s and not %s", what, has, asked))
		}
	}
	version := func(number int) string {
		if number == 0 {
			return ""
		}
		return strconv.Itoa(number)
	}
	compare("organization", p.OrgID, wanted.OrgID)
	compare("region", p.RegionID, wanted.RegionID)
	compare("PostgreSQL", version(p.PgVersion), version(wanted.PgVersion))
	return strings.Join(list, ", ")
}

func listed(found []project) string {
	names := make([]string, len(found))
	for i, each := range found {
		names[i] = each.ID
		if each.CreatedAt != "" {
			names[i] += " of " + each.CreatedAt
		}
	}
	return strings.Join(names, ", ")
}

// IsGone says whether the API denies knowing an object, in its own words. A 404 of another kind (an unknown route, a page
// of some other server) is no proof.
func IsGone(err error) bool {
	known, ok := asError(err)
	return ok && known.Status == http.StatusNotFound && strings.Contains(known.Message, "not found")
}
