package neonhttp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// stopped is a clock that moves only when somebody sleeps.
type stopped struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
	// during is called before each sleep, with what is to be slept.
	during func(time.Duration)
}

func newStopped() *stopped {
	return &stopped{at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
}

func (s *stopped) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *stopped) sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	if s.during != nil {
		s.during(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
	s.slept = append(s.slept, d)
	return ctx.Err()
}

func (s *stopped) total() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum time.Duration
	for _, each := range s.slept {
		sum += each
	}
	return sum
}

type object = map[string]any

// trouble is what happens to one request.
type trouble struct {
	// drop cuts the connection; status answers in place of the work or, after it, of its answer.
	drop   bool
	after  bool
	status int
	body   string
	header map[string]string
	// do is called in place of the rest.
	do func()
}

// cloud is as much of the Neon API as these tests ask: one project has one branch, one compute, one database.
type cloud struct {
	t *testing.T
	*httptest.Server
	clock *stopped

	mu       sync.Mutex
	asked    []string
	bodies   map[string][]string
	projects []object
	inside   map[string]object // by route, what GET answers
	troubles map[string][]trouble
	// operations of each project, the newest first.
	operations map[string][]object
	// begins is the status of the operations that a change begins; finishing is how many looks they take.
	begins string
	number int
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{
		t: t, clock: newStopped(), bodies: map[string][]string{}, inside: map[string]object{},
		troubles: map[string][]trouble{}, operations: map[string][]object{}, begins: "finished",
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func testSettings(t *testing.T) Settings {
	t.Helper()
	return Settings{
		PerMinute: 6000, Share: 1, RetryFor: 5 * time.Minute, Attempts: 5, Poll: 10 * time.Second, OperationsFor: 10 * time.Minute,
		LostFor: 10 * time.Second, IntentFor: time.Minute, StateFolder: t.TempDir(), AccountFolder: t.TempDir(),
	}
}

func (c *cloud) client(settings Settings) *Client {
	c.t.Helper()
	plain, err := NewPlain(Options{BaseURL: c.URL, Transport: &http.Transport{}})
	if err != nil {
		c.t.Fatal(err)
	}
	return layered(&wire{plain}, settings, c.clock, newLedger(settings.AccountFolder, c.URL, "napi_test", c.clock))
}

// send sends one request as the SDK would and returns the answer's body.
func send(t *testing.T, client *Client, run Run, method, path, body string) (string, error) {
	t.Helper()
	response, err := client.For(context.Background(), run).Do(request(t, method, PublicURL+path, body))
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content), nil
}

func (c *cloud) trouble(route string, all ...trouble) {
	c.troubles[route] = append(c.troubles[route], all...)
}

func (c *cloud) count(route string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, each := range c.asked {
		if each == route {
			n++
		}
	}
	return n
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	route := r.Method + " " + r.URL.Path
	content, _ := io.ReadAll(r.Body)
	c.asked = append(c.asked, route)
	c.bodies[route] = append(c.bodies[route], string(content))
	var now *trouble
	if waiting := c.troubles[route]; len(waiting) > 0 {
		now, c.troubles[route] = &waiting[0], waiting[1:]
	}
	if now != nil && now.do != nil {
		now.do()
	}
	recorder := httptest.NewRecorder()
	if now == nil || now.after || (now.do != nil && !now.drop && now.status == 0) {
		c.work(recorder, r, content)
	}
	if now != nil && now.drop {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
		return
	}
	if now != nil && now.status != 0 {
		recorder = httptest.NewRecorder()
		for name, value := range now.header {
			recorder.Header().Set(name, value)
		}
		recorder.WriteHeader(now.status)
		_, _ = recorder.WriteString(now.body)
	}
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

func (c *cloud) work(w http.ResponseWriter, r *http.Request, content []byte) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	route := r.Method + " " + r.URL.Path
	reply := func(status int, body object) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	var asked object
	_ = json.Unmarshal(content, &asked)
	switch {
	case route == "GET /projects":
		query := r.URL.Query()
		found := []object{}
		for _, each := range c.projects {
			if strings.Contains(each["name"].(string), query.Get("search")) && each["org_id"] == query.Get("org_id") {
				found = append(found, each)
			}
		}
		// Pages of one, so that whoever reads only the first is found out.
		from := 0
		if cursor := query.Get("cursor"); cursor != "" {
			_, _ = fmt.Sscan(cursor, &from)
		}
		page := found[min(from, len(found)):min(from+1, len(found))]
		body := object{"projects": page}
		if len(page) > 0 {
			body["pagination"] = object{"cursor": fmt.Sprint(from + 1)}
		}
		reply(200, body)
	case route == "POST /projects":
		wanted := asked["project"].(object)
		made := c.add(wanted)
		id := made["id"].(string)
		reply(201, object{
			"project": made, "branch": c.inside["/projects/"+id+"/branches"]["branches"].([]object)[0],
			"endpoints": c.inside["/projects/"+id+"/branches/br-"+id+"/endpoints"]["endpoints"],
			"databases": c.inside["/projects/"+id+"/branches/br-"+id+"/databases"]["databases"],
			"roles":     []object{}, "connection_uris": []object{}, "operations": c.operations[id],
		})
	case r.Method == "GET" && len(parts) == 3 && parts[2] == "operations":
		reply(200, object{"operations": c.operations[parts[1]]})
	case r.Method == "GET" && c.inside[r.URL.Path] != nil:
		reply(200, c.inside[r.URL.Path])
	case r.Method == "PATCH" || (r.Method == "POST" && c.inside["POST "+r.URL.Path] != nil):
		c.number++
		o := c.operation(parts[1], "apply_config", c.begins)
		body := object{"operations": []object{o}}
		for name, value := range c.inside["POST "+r.URL.Path] {
			body[name] = value
		}
		reply(201, body)
	case r.Method == "DELETE":
		c.projects = slices.DeleteFunc(c.projects, func(each object) bool { return each["id"] == parts[1] })
		reply(200, object{})
	default:
		reply(404, object{"code": "", "message": "project not found"})
	}
}

// add makes a project with all that is in it.
func (c *cloud) add(wanted object) object {
	c.number++
	id := fmt.Sprintf("p-%d", c.number)
	made := object{
		"id": id, "name": wanted["name"], "org_id": wanted["org_id"], "region_id": wanted["region_id"],
		"pg_version": wanted["pg_version"], "created_at": fmt.Sprintf("2026-11-22T08:00:%02dZ", c.number),
		"history_retention_seconds": wanted["history_retention_seconds"], "default_endpoint_settings": wanted["default_endpoint_settings"],
		"settings": wanted["settings"],
	}
	root, branch := "/projects/"+id, "br-"+id
	c.projects = append(c.projects, made)
	c.inside[root] = object{"project": made}
	c.inside[root+"/branches"] = object{"branches": []object{{"id": branch, "name": "main", "default": true}}}
	c.inside[root+"/branches/"+branch+"/endpoints"] = object{"endpoints": []object{
		{"id": "ep-" + id, "branch_id": branch, "type": "read_write", "disabled": false, "host": "h." + id},
	}}
	c.inside[root+"/branches/"+branch+"/databases"] = object{"databases": []object{
		{"name": "later", "owner_name": "other", "created_at": "2026-11-22T09:00:00Z"},
		{"name": "neondb", "owner_name": "owner", "created_at": "2026-11-22T08:00:00Z"},
	}}
	c.inside[root+"/branches/"+branch+"/roles"] = object{"roles": []object{{"name": "owner"}, {"name": "other"}}}
	c.inside[root+"/branches/"+branch+"/roles/owner/reveal_password"] = object{"password": "npg_secret"}
	c.inside[root+"/connection_uri"] = object{"uri": "postgresql://owner:npg_secret@h." + id + "/neondb?sslmode=require"}
	c.inside["POST "+root+"/endpoints/ep-"+id+"/start"] = object{"endpoint": object{"id": "ep-" + id}}
	c.operation(id, "create_timeline", c.begins)
	return made
}

func (c *cloud) operation(project, action, status string) object {
	c.number++
	o := object{
		"id": fmt.Sprintf("op-%d", c.number), "project_id": project, "branch_id": "br-" + project, "action": action, "status": status,
	}
	c.operations[project] = append([]object{o}, c.operations[project]...)
	return o
}

// finishAfter makes the running operations of a project end as told after so many pauses.
func (c *cloud) finishAfter(looks int, status, reason string) {
	c.clock.during = func(time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if looks--; looks > 0 {
			return
		}
		for _, all := range c.operations {
			for _, o := range all {
				if o["status"] == "running" {
					o["status"], o["error"] = status, reason
				}
			}
		}
	}
}
