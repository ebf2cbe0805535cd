package postgresql

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/lib/pq"
)

// attempt makes a resource and returns what went wrong.
func (s *server) attempt(t *testing.T, resource string, raw map[string]any) (*schema.ResourceData, error) {
	t.Helper()
	r := s.provider.ResourcesMap[resource]
	d := schema.TestResourceDataRaw(t, r.Schema, raw)
	return d, r.Create(d, s.provider.Meta())
}

func (s *server) remove(t *testing.T, resource string, d *schema.ResourceData) {
	t.Helper()
	if err := s.provider.ResourcesMap[resource].Delete(d, s.provider.Meta()); err != nil {
		t.Errorf("delete %s: %v", resource, err)
	}
}

func (s *server) flag(t *testing.T, database, query string) bool {
	t.Helper()
	c, err := connectionOf(s.provider.Meta())
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.found(database, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}

// login says what a role's connection to the maintenance database meets.
func login(t *testing.T, role, password string) error {
	t.Helper()
	where, err := url.Parse(os.Getenv(serverVariable))
	if err != nil {
		t.Fatal(err)
	}
	where.User = url.UserPassword(role, password)
	db, err := sql.Open("postgres", where.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return db.Ping()
}

func (s *server) role(name string) map[string]any {
	return map[string]any{
		"name": name + s.suffix, "skip_reassign_owned": true, "login": true, "password": "the one declared",
		"connection_limit": 4, "search_path": []any{"app", "public"}, statementTimeout: 30_000, idleTimeout: 10_000,
	}
}

func TestARoleLeftBehindIsTakenOverAsIfItWereNew(t *testing.T) {
	s := connect(t)
	group := s.create(t, "postgresql_role", map[string]any{"name": "rw" + s.suffix, "skip_reassign_owned": true})
	other := s.create(t, "postgresql_role", map[string]any{"name": "ro" + s.suffix, "skip_reassign_owned": true})
	wanted := s.role("left")
	wanted["roles"] = []any{group.Id()}
	name := wanted["name"].(string)
	s.exec(t, "", "CREATE ROLE "+name+" LOGIN NOINHERIT CREATEDB PASSWORD 'another' VALID UNTIL '2001-01-01' IN ROLE "+other.Id())
	s.exec(t, "", "ALTER ROLE "+name+" SET work_mem TO '1MB'")
	s.exec(t, "", "ALTER ROLE "+name+" SET idle_in_transaction_session_timeout TO 1")
	s.exec(t, "", "ALTER ROLE "+name+" IN DATABASE "+s.database+" SET search_path TO pg_temp")

	role := s.create(t, "postgresql_role", wanted)
	for attribute, want := range map[string]any{
		"inherit": true, "create_database": false, "login": true, "connection_limit": 4, "valid_until": "infinity",
		searchPath: []any{"app", "public"}, statementTimeout: 30_000, idleTimeout: 10_000,
	} {
		if got := role.Get(attribute); !same(got, want) {
			t.Errorf("%s is %#v, not %#v", attribute, got, want)
		}
	}
	if got := sorted(role.Get("roles").(*schema.Set)); len(got) != 1 || got[0] != group.Id() {
		t.Errorf("it is a member of %v", got)
	}
	if !s.flag(t, "", "SELECT count(*) = 1 FROM pg_db_role_setting WHERE setrole = '"+name+"'::regrole AND cardinality(setconfig) = 3") {
		t.Error("settings of its former life are left")
	}
	if err := login(t, name, "the one declared"); err != nil {
		t.Errorf("the declared password: %v", err)
	}
	if err := login(t, name, "another"); err == nil {
		t.Error("the former password is still good")
	}
}

func TestARoleWithoutAPasswordLosesTheOneOfItsFormerLife(t *testing.T) {
	s := connect(t)
	name := "open" + s.suffix
	s.exec(t, "", "CREATE ROLE "+name+" LOGIN PASSWORD 'former'")
	s.create(t, "postgresql_role", map[string]any{"name": name, "login": true, "skip_reassign_owned": true})
	if err := login(t, name, "former"); err == nil {
		t.Error("the former password is still good")
	}
}

func TestARoleThatIsNotOursIsRefusedInOneLine(t *testing.T) {
	s := connect(t)
	c, _ := connectionOf(s.provider.Meta())
	foreign, err := c.names("", `SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user
		AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') LIMIT 1`)
	if err != nil || len(foreign) == 0 {
		t.Fatalf("%v, %v", foreign, err)
	}
	wanted := s.role("foreign")
	wanted["name"] = foreign[0]
	_, err = s.attempt(t, "postgresql_role", wanted)
	refused(t, err, foreign[0], "not "+s.owner+"'s to alter", "drop or rename")
	wanted["name"] = s.owner
	_, err = s.attempt(t, "postgresql_role", wanted)
	refused(t, err, "the role that this connection was made as")
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was not refused")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "the one declared") {
		t.Errorf("more than a line, or a password: %q", err)
	}
}

func TestADatabaseLeftBehindIsTakenOver(t *testing.T) {
	s := connect(t)
	name := "left" + s.suffix
	s.exec(t, "", "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 1")
	declared := map[string]any{"name": name, "owner": s.owner, "template": "template0", "encoding": "utf-8", "connection_limit": 7}
	database := s.create(t, "postgresql_database", declared)
	if got := database.Get("connection_limit").(int); got != 7 {
		t.Errorf("its connection limit is %d", got)
	}
	declared["lc_ctype"], declared["encoding"] = "nowhere", "LATIN1"
	_, err := s.attempt(t, "postgresql_database", declared)
	refused(t, err, name, "its encoding is UTF8, not LATIN1", "character type", "not taken over")
	declared["owner"] = "somebody"
	_, err = s.attempt(t, "postgresql_database", declared)
	refused(t, err, "its owner is "+s.owner+", not somebody")
}

func TestWhatIsInADatabaseIsTakenOver(t *testing.T) {
	s := connect(t)
	name := "inner" + s.suffix
	s.create(t, "postgresql_database", map[string]any{"name": name, "owner": s.owner})
	s.exec(t, name, "CREATE SCHEMA app")
	s.exec(t, name, "CREATE SCHEMA ext")
	s.exec(t, name, "CREATE EXTENSION pg_trgm")
	s.create(t, "postgresql_schema", map[string]any{"name": "app", "database": name, "owner": s.owner})
	_, err := s.attempt(t, "postgresql_schema", map[string]any{"name": "public", "database": name, "owner": s.owner})
	refused(t, err, "schema public", "its owner is pg_database_owner, not "+s.owner)
	s.create(t, "postgresql_extension", map[string]any{"name": "pg_trgm", "database": name, "schema": "public"})
	// The functions of a trusted extension belong to the server's superuser.
	_, err = s.attempt(t, "postgresql_extension", map[string]any{"name": "pg_trgm", "database": name, "schema": "ext"})
	refused(t, err, "extension pg_trgm", "there already", "must be owner")
}

func TestWhatIsGoneIsDeleted(t *testing.T) {
	s := connect(t)
	name := "gone" + s.suffix
	inside := map[string]map[string]any{
		"postgresql_schema":    {"name": "app", "database": name, "owner": s.owner},
		"postgresql_extension": {"name": "pg_trgm", "database": name},
		"postgresql_default_privileges": {
			"role": name, "owner": s.owner, "database": name, "schema": "app", "object_type": "table", "privileges": []any{"SELECT"},
		},
	}
	make := func() map[string]*schema.ResourceData {
		made := map[string]*schema.ResourceData{
			"postgresql_role":     s.create(t, "postgresql_role", map[string]any{"name": name, "skip_reassign_owned": true}),
			"postgresql_database": s.create(t, "postgresql_database", map[string]any{"name": name, "owner": s.owner}),
		}
		for _, resource := range []string{"postgresql_schema", "postgresql_extension", "postgresql_default_privileges"} {
			made[resource] = s.create(t, resource, inside[resource])
		}
		return made
	}
	made := make()
	s.exec(t, name, "DROP EXTENSION pg_trgm")
	s.exec(t, name, "DROP SCHEMA app CASCADE")
	for resource := range inside {
		s.remove(t, resource, made[resource])
	}
	made = make()
	s.exec(t, "", "DROP DATABASE "+name)
	s.exec(t, "", "DROP ROLE "+name)
	for resource, d := range made {
		s.remove(t, resource, d)
	}
}

func TestARenameThatWasInterruptedGoesOn(t *testing.T) {
	s := connect(t)
	declared := s.role("before")
	role := s.create(t, "postgresql_role", declared)
	declared["name"] = "after" + s.suffix
	planned := planned(t, s, role, declared)
	s.exec(t, "", "ALTER ROLE "+role.Id()+" RENAME TO "+declared["name"].(string))
	if err := s.provider.ResourcesMap["postgresql_role"].Update(planned, s.provider.Meta()); err != nil {
		t.Fatal(err)
	}
	if err := login(t, declared["name"].(string), "the one declared"); err != nil {
		t.Error(err)
	}
	s.remove(t, "postgresql_role", planned)
}

func TestAPasswordThatCannotBeSetIsNotTold(t *testing.T) {
	s := connect(t)
	declared := s.role("dropped")
	role := s.create(t, "postgresql_role", declared)
	s.exec(t, "", "DROP ROLE "+role.Id())
	declared["password"] = "the one declared anew"
	err := s.provider.ResourcesMap["postgresql_role"].Update(planned(t, s, role, declared), s.provider.Meta())
	refused(t, err, "it is gone", "tenantry up -- --refresh")

	c, _ := connectionOf(s.provider.Meta())
	err = c.inTransaction("", func(txn *sql.Tx) error {
		return (&roleChange{name: role.Id(), password: "the one declared"}).setPassword(txn, true)
	})
	if codeOf(err) != "42704" {
		t.Errorf("%v", err)
	}
	var said *pq.Error
	if errors.As(err, &said) && strings.Contains(fmt.Sprintf("%+v", *said), "the one declared") {
		t.Errorf("the server quotes the password: %+v", *said)
	}
}

func TestAnUpdateThatFailedIsNotInTheState(t *testing.T) {
	s := connect(t)
	declared := s.role("failed")
	role := s.create(t, "postgresql_role", declared)
	declared["password"], declared["roles"] = "another", []any{"nobody of this name"}
	update := planned(t, s, role, declared)
	if err := s.provider.ResourcesMap["postgresql_role"].Update(update, s.provider.Meta()); err == nil {
		t.Fatal("it did not fail")
	}
	if got := update.State().Attributes["password"]; got != "the one declared" {
		t.Errorf("the state says %q", got)
	}
	if err := login(t, role.Id(), "the one declared"); err != nil {
		t.Error(err)
	}
}

// cutting stands between the plugin and the server: it cuts the first connection after so many pieces from the client.
func cutting(t *testing.T, target string, pieces int32) (string, int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var left atomic.Int32
	left.Store(pieces)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			}()
			go func() {
				defer server.Close()
				defer client.Close()
				piece := make([]byte, 1<<16)
				for {
					n, err := client.Read(piece)
					if err != nil {
						return
					}
					// Cut once, after the server has got the piece.
					if _, err := server.Write(piece[:n]); err != nil || left.Add(-1) == 0 {
						return
					}
				}
			}()
		}
	}()
	address := listener.Addr().(*net.TCPAddr)
	return address.IP.String(), address.Port
}

// A connection that is lost in any place is made anew, and what it was to do is done: 40 pieces are more than a create
// of a role or a database sends.
func TestACutConnectionIsTakenUpAgain(t *testing.T) {
	s := connect(t)
	where, _ := url.Parse(os.Getenv(serverVariable))
	for pieces := int32(1); pieces <= 40; pieces += 5 {
		host, port := cutting(t, where.Host, pieces)
		through := connectThrough(t, host, port)
		role := s.role("cut")
		made, err := through.attempt(t, "postgresql_role", role)
		if err != nil {
			t.Fatalf("cut after %d pieces: %v", pieces, err)
		}
		if err := login(t, made.Id(), "the one declared"); err != nil {
			t.Errorf("cut after %d pieces: %v", pieces, err)
		}
		s.remove(t, "postgresql_role", made)

		host, port = cutting(t, where.Host, pieces)
		through = connectThrough(t, host, port)
		database, err := through.attempt(t, "postgresql_database", map[string]any{"name": "cut" + s.suffix, "owner": s.owner})
		if err != nil {
			t.Fatalf("cut after %d pieces: %v", pieces, err)
		}
		s.remove(t, "postgresql_database", database)
	}
}
