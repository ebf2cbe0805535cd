package postgresql

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/terraform"
)

// serverVariable names a server to test on, as postgres://role:password@host:port/database?sslmode=disable. The role
// must be made as Neon makes a project's roles: never a superuser, which would hide what fails there.
const serverVariable = "TENANTRY_TEST_POSTGRES_URL"

func TestProviderIsConsistent(t *testing.T) {
	t.Parallel()
	if err := Provider().InternalValidate(); err != nil {
		t.Fatal(err)
	}
}

func TestTokensAndPropertiesAreTheOfficialOnes(t *testing.T) {
	t.Parallel()
	info := Info()
	for name, token := range map[string]string{
		"postgresql_grant":              "postgresql:index/grant:Grant",
		"postgresql_default_privileges": "postgresql:index/defaultPrivileges:DefaultPrivileges",
	} {
		if got := string(info.Resources[name].Tok); got != token {
			t.Errorf("%s: %s", name, got)
		}
	}
	role := Provider().ResourcesMap["postgresql_role"].Schema
	if role[idleTimeout] == nil || role[idleTimeout].Type != schema.TypeInt {
		t.Errorf("the role has no %s", idleTimeout)
	}
}

type server struct {
	provider *schema.Provider
	owner    string
	database string
	suffix   string
}

func connect(t *testing.T) *server {
	t.Helper()
	raw := os.Getenv(serverVariable)
	if raw == "" {
		t.Skip(serverVariable + " is not set")
	}
	where, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(where.Port())
	if err != nil {
		t.Fatal(err)
	}
	return connectThrough(t, where.Hostname(), port)
}

// connectThrough reaches the same server by another address.
func connectThrough(t *testing.T, host string, port int) *server {
	t.Helper()
	where, err := url.Parse(os.Getenv(serverVariable))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := where.User.Password()
	p := Provider()
	if err := p.Configure(terraform.NewResourceConfigRaw(map[string]any{
		"host": host, "port": port, "username": where.User.Username(), "password": password,
		"database": where.Path[1:], "sslmode": where.Query().Get("sslmode"), "superuser": false,
	})); err != nil {
		t.Fatal(err)
	}
	return &server{provider: p, owner: where.User.Username(), database: where.Path[1:], suffix: fmt.Sprint(os.Getpid())}
}

func (s *server) create(t *testing.T, resource string, raw map[string]any) *schema.ResourceData {
	t.Helper()
	r := s.provider.ResourcesMap[resource]
	d := schema.TestResourceDataRaw(t, r.Schema, raw)
	if err := r.Create(d, s.provider.Meta()); err != nil {
		t.Fatalf("%s: %v", resource, err)
	}
	t.Cleanup(func() {
		if err := r.Delete(d, s.provider.Meta()); err != nil {
			t.Errorf("delete %s %s: %v", resource, d.Id(), err)
		}
	})
	s.read(t, resource, d)
	return d
}

func (s *server) read(t *testing.T, resource string, d *schema.ResourceData) {
	t.Helper()
	if err := s.provider.ResourcesMap[resource].Read(d, s.provider.Meta()); err != nil {
		t.Fatalf("read %s: %v", resource, err)
	}
}

func (s *server) exec(t *testing.T, database, statement string) {
	t.Helper()
	c, err := connectionOf(s.provider.Meta())
	if err != nil {
		t.Fatal(err)
	}
	db, err := c.db(database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func privilegesOf(d *schema.ResourceData) []string { return sorted(d.Get("privileges").(*schema.Set)) }

func TestGrantsOnAServer(t *testing.T) {
	s := connect(t)
	group, database := "grp"+s.suffix, "tenant"+s.suffix
	s.create(t, "postgresql_role", map[string]any{"name": group, "skip_reassign_owned": true})
	s.create(t, "postgresql_database", map[string]any{"name": database, "owner": s.owner})
	declared := s.create(t, "postgresql_schema", map[string]any{"name": "app", "database": database, "owner": s.owner})

	public := s.create(t, "postgresql_grant", map[string]any{
		"role": "public", "database": database, "object_type": "database", "privileges": []any{},
	})
	if got := privilegesOf(public); len(got) != 0 {
		t.Errorf("PUBLIC still has %v", got)
	}
	usage := s.create(t, "postgresql_grant", map[string]any{
		"role": group, "database": database, "schema": "app", "object_type": "schema", "privileges": []any{"USAGE"},
	})
	if got := privilegesOf(usage); !slices.Equal(got, []string{"USAGE"}) {
		t.Errorf("the group has %v", got)
	}
	s.read(t, "postgresql_schema", declared)
	if n := declared.Get("policy").(*schema.Set).Len(); n != 0 {
		t.Errorf("a grant shows as %d policies of the schema", n)
	}

	s.exec(t, database, "GRANT CONNECT ON DATABASE "+database+" TO PUBLIC")
	s.exec(t, database, "GRANT CREATE ON SCHEMA app TO "+group)
	s.read(t, "postgresql_grant", public)
	s.read(t, "postgresql_grant", usage)
	if got := privilegesOf(public); !slices.Equal(got, []string{"CONNECT"}) {
		t.Errorf("drift of PUBLIC reads as %v", got)
	}
	if got := privilegesOf(usage); !slices.Equal(got, []string{"CREATE", "USAGE"}) {
		t.Errorf("drift of the schema's grant reads as %v", got)
	}
}

func TestGrantOfADroppedDatabaseIsGone(t *testing.T) {
	s := connect(t)
	r := s.provider.ResourcesMap["postgresql_grant"]
	d := schema.TestResourceDataRaw(t, r.Schema, map[string]any{
		"role": s.owner, "database": "never" + s.suffix, "object_type": "database", "privileges": []any{"CONNECT"},
	})
	d.SetId("x")
	if err := r.Delete(d, s.provider.Meta()); err != nil {
		t.Errorf("delete: %v", err)
	}
	s.read(t, "postgresql_grant", d)
	if d.Id() != "" {
		t.Error("the grant still has an id")
	}
}

func TestIdleTimeoutOnAServer(t *testing.T) {
	s := connect(t)
	name := "idle" + s.suffix
	role := s.create(t, "postgresql_role", map[string]any{"name": name, "skip_reassign_owned": true, idleTimeout: 10_000})
	if got := role.Get(idleTimeout).(int); got != 10_000 {
		t.Errorf("created with %d ms", got)
	}
	s.exec(t, "", "ALTER ROLE "+name+" SET "+idleTimeout+" TO '5s'")
	s.read(t, "postgresql_role", role)
	if got := role.Get(idleTimeout).(int); got != 5000 {
		t.Errorf("drift reads as %d ms", got)
	}
}

func TestDatabaseInUseIsDropped(t *testing.T) {
	s := connect(t)
	name := "used" + s.suffix
	// Clean-ups run in reverse: the database is deleted while the session is open.
	var session *sql.Conn
	t.Cleanup(func() { _ = session.Close() })
	s.create(t, "postgresql_database", map[string]any{"name": name, "owner": s.owner})
	c, err := connectionOf(s.provider.Meta())
	if err != nil {
		t.Fatal(err)
	}
	db, err := c.db(name)
	if err != nil {
		t.Fatal(err)
	}
	if session, err = db.Conn(context.Background()); err != nil {
		t.Fatal(err)
	}
}
