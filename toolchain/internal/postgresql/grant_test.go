package postgresql

import (
	"strings"
	"testing"
)

func TestGrantStatements(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		grant          grant
		id             string
		revoke, grants string
	}{
		"database": {
			grant{role: `a"b`, database: "tenant", objectType: "database", privileges: []string{"CONNECT", "TEMPORARY"}},
			`a"b_tenant_database`,
			`REVOKE ALL PRIVILEGES ON DATABASE "tenant" FROM "a""b"`,
			`GRANT CONNECT, TEMPORARY ON DATABASE "tenant" TO "a""b"`,
		},
		"public, nothing": {
			grant{role: "public", database: "tenant", objectType: "database"},
			"public_tenant_database",
			`REVOKE ALL PRIVILEGES ON DATABASE "tenant" FROM PUBLIC`,
			"",
		},
		"schema": {
			grant{role: "rw", database: "tenant", schema: "app", objectType: "schema", privileges: []string{"USAGE"}},
			"rw_tenant_app_schema",
			`REVOKE ALL PRIVILEGES ON SCHEMA "app" FROM "rw"`,
			`GRANT USAGE ON SCHEMA "app" TO "rw"`,
		},
		"all tables, with grant option": {
			grant{role: "rw", database: "tenant", schema: "app", objectType: "table", privileges: []string{"SELECT"}, grantable: true},
			"rw_tenant_app_table",
			`REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA "app" FROM "rw"`,
			`GRANT SELECT ON ALL TABLES IN SCHEMA "app" TO "rw" WITH GRANT OPTION`,
		},
		"two sequences": {
			grant{role: "rw", database: "tenant", schema: "app", objectType: "sequence", objects: []string{"a", "b"}, privileges: []string{"USAGE"}},
			"rw_tenant_app_sequence_a_b",
			`REVOKE ALL PRIVILEGES ON SEQUENCE "app"."a", "app"."b" FROM "rw"`,
			`GRANT USAGE ON SEQUENCE "app"."a", "app"."b" TO "rw"`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := c.grant.check(); err != nil {
				t.Fatal(err)
			}
			if got := c.grant.id(); got != c.id {
				t.Errorf("id %q, want %q", got, c.id)
			}
			if got := c.grant.revokeStatement(); got != c.revoke {
				t.Errorf("revoke %q, want %q", got, c.revoke)
			}
			if got := c.grant.grantStatement(); got != c.grants {
				t.Errorf("grant %q, want %q", got, c.grants)
			}
		})
	}
}

func TestGrantRefusesWhatPostgresWould(t *testing.T) {
	t.Parallel()
	cases := map[string]grant{
		"SELECT is not a privilege of a schema": {role: "r", database: "d", schema: "s", objectType: "schema", privileges: []string{"SELECT"}},
		"schema is required":                    {role: "r", database: "d", objectType: "table", privileges: []string{"SELECT"}},
		"objects cannot be listed":              {role: "r", database: "d", objectType: "database", objects: []string{"x"}},
		"PUBLIC cannot be given a grant option": {role: "public", database: "d", objectType: "database", grantable: true},
		"is not supported":                      {role: "r", database: "d", objectType: "tablespace"},
	}
	for want, g := range cases {
		if err := g.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestGrantComparesPrivileges(t *testing.T) {
	t.Parallel()
	database := func(privileges ...string) grant { return grant{objectType: "database", privileges: privileges} }
	cases := []struct {
		name  string
		grant grant
		found []string
		same  bool
	}{
		{"nothing declared, nothing held", database(), nil, true},
		{"nothing declared, default held", database(), []string{"CONNECT", "TEMPORARY"}, false},
		{"TEMP is short for TEMPORARY", database("TEMP"), []string{"TEMPORARY"}, true},
		{"one missing", database("CONNECT", "CREATE"), []string{"CONNECT"}, false},
		{"one too many", database("CONNECT"), []string{"CONNECT", "CREATE"}, false},
		{"ALL held", database("ALL"), []string{"CONNECT", "CREATE", "TEMPORARY"}, true},
		{"ALL held in part", database("ALL"), []string{"CONNECT"}, false},
	}
	for _, c := range cases {
		if got := c.grant.sameAs(c.found); got != c.same {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
