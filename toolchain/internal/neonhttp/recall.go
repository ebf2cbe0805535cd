package neonhttp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// recall answers what an operation of the provider reads of a project that it has just made: the answer of its own
// create held that already. It is remembered for that operation alone, and until it changes something else.
type recall struct{ next sender }

// memory has the bodies of answers by path and query.
type memory struct {
	mu     sync.Mutex
	bodies map[string][]byte
}

type memoryKey struct{}

func remembering(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoryKey{}, &memory{})
}

func (r *recall) send(ctx context.Context, c call) (answer, error) {
	own, _ := ctx.Value(memoryKey{}).(*memory)
	if own == nil {
		return r.next.send(ctx, c)
	}
	if c.reads() {
		if body := own.of(c); body != nil {
			return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: body}, nil
		}
		return r.next.send(ctx, c)
	}
	a, err := r.next.send(ctx, c)
	var told map[string][]byte
	if err == nil && a.ok() {
		told = held(c, a)
	}
	own.become(told)
	return a, err
}

func (m *memory) of(c call) []byte {
	query, err := url.ParseQuery(c.query)
	if err != nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bodies[place(query, c.segments()...)]
}

func (m *memory) become(bodies map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = bodies
}

func place(query url.Values, segments ...string) string {
	return strings.Join(segments, "/") + "?" + query.Encode()
}

// held returns what reads would answer right after a change, by what the change was answered with.
func held(c call, a answer) map[string][]byte {
	bodies := map[string][]byte{}
	keep := func(body any, query url.Values, segments ...string) {
		if content, err := json.Marshal(body); err == nil {
			bodies[place(query, segments...)] = content
		}
	}
	switch {
	case c.is(http.MethodPatch, "projects", "*", "endpoints", "*"):
		var changed struct {
			Endpoint json.RawMessage `json:"endpoint"`
		}
		if json.Unmarshal(a.body, &changed) == nil && len(changed.Endpoint) > 0 {
			keep(map[string]any{"endpoint": changed.Endpoint}, nil, c.segments()...)
		}
	case c.is(http.MethodPost, "projects"):
		var made madeProject
		if json.Unmarshal(a.body, &made) != nil || made.Project.ID == "" || made.Branch.ID == "" {
			return nil
		}
		id := made.Project.ID
		for _, each := range made.Endpoints {
			var one endpoint
			if json.Unmarshal(each, &one) == nil && one.ID != "" {
				keep(map[string]any{"endpoint": each}, nil, "projects", id, "endpoints", one.ID)
			}
		}
		for _, each := range made.Roles {
			// A project that keeps no passwords refuses to reveal them, and a later read is refused as well.
			if each.Password != "" && made.Project.StorePasswords {
				keep(map[string]any{"password": each.Password}, nil,
					"projects", id, "branches", made.Branch.ID, "roles", each.Name, "reveal_password")
			}
		}
		for _, each := range made.ConnectionURIs {
			to := each.Parameters
			uri, err := url.Parse(each.URI)
			if err == nil && to.PoolerHost != "" && to.Database != "" && to.Role != "" {
				uri.Host = to.PoolerHost
				keep(map[string]any{"uri": uri.String()},
					url.Values{"database_name": {to.Database}, "role_name": {to.Role}, "pooled": {"true"}},
					"projects", id, "connection_uri")
			}
		}
	}
	return bodies
}

// madeProject is what of a create's answer can be asked for again.
type madeProject struct {
	Project struct {
		ID             string `json:"id"`
		StorePasswords bool   `json:"store_passwords"`
	} `json:"project"`
	Branch struct {
		ID string `json:"id"`
	} `json:"branch"`
	Endpoints []json.RawMessage `json:"endpoints"`
	Roles     []struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	} `json:"roles"`
	ConnectionURIs []struct {
		URI        string `json:"connection_uri"`
		Parameters struct {
			Database   string `json:"database"`
			Role       string `json:"role"`
			PoolerHost string `json:"pooler_host"`
		} `json:"connection_parameters"`
	} `json:"connection_uris"`
}
