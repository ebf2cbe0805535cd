package postgresql

import (
	"database/sql"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/helper/validation"
	"github.com/lib/pq"
)

// publicRole stands for everybody (PostgreSQL's PUBLIC), which is no role of the catalog: grantee 0 in access lists.
const publicRole = "public"

// objectKind says how one type of object is granted on and read.
type objectKind struct {
	// privileges that PostgreSQL knows for it; "ALL" stands for all of them
	// (https://www.postgresql.org/docs/current/ddl-priv.html).
	privileges []string
	// all names every object of the type in a schema; empty where the grant is on one object only.
	all string
	// query of (name, access list) of the objects in a schema ($1), with the defaults in force where nothing was
	// granted or revoked yet; for a database $1 is its own name.
	query string
}

var objectKinds = map[string]objectKind{
	"database": {
		privileges: []string{"CREATE", "CONNECT", "TEMPORARY"},
		query: `SELECT datname AS name, COALESCE(datacl, acldefault('d', datdba)) AS acl
			FROM pg_catalog.pg_database WHERE datname = $1`,
	},
	"schema": {
		privileges: []string{"CREATE", "USAGE"},
		query: `SELECT nspname AS name, COALESCE(nspacl, acldefault('n', nspowner)) AS acl
			FROM pg_catalog.pg_namespace WHERE nspname = $1`,
	},
	"table": {
		privileges: []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"},
		all:        "TABLES",
		query: `SELECT relname AS name, COALESCE(relacl, acldefault('r', relowner)) AS acl
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE nspname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')`,
	},
	"sequence": {
		privileges: []string{"USAGE", "SELECT", "UPDATE"},
		all:        "SEQUENCES",
		query: `SELECT relname AS name, COALESCE(relacl, acldefault('s', relowner)) AS acl
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE nspname = $1 AND relkind = 'S'`,
	},
	"function": {
		privileges: []string{"EXECUTE"},
		all:        "FUNCTIONS",
		query: `SELECT proname AS name, COALESCE(proacl, acldefault('f', proowner)) AS acl
			FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
			WHERE nspname = $1 AND prokind IN ('f', 'a', 'w')`,
	},
}

// grantResource replaces upstream's postgresql_grant, which knows neither schemas nor PUBLIC nor an empty list.
// The meaning is that of the official package: the privileges listed are all that the role has on the objects, and an
// empty list revokes everything.
func grantResource() *schema.Resource {
	kinds := make([]string, 0, len(objectKinds))
	for kind := range objectKinds {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	return &schema.Resource{
		Create: applyGrant,
		Read:   readGrant,
		Update: applyGrant,
		Delete: deleteGrant,
		Schema: map[string]*schema.Schema{
			"role": {
				Type: schema.TypeString, Required: true, ForceNew: true,
				Description: `The name of the role to grant privileges on, Set it to "public" for all roles`,
			},
			"database": {
				Type: schema.TypeString, Required: true, ForceNew: true,
				Description: "The database to grant privileges on for this role",
			},
			"schema": {
				Type: schema.TypeString, Optional: true, ForceNew: true,
				Description: "The database schema to grant privileges on for this role (required except if object_type is \"database\")",
			},
			"object_type": {
				Type: schema.TypeString, Required: true, ForceNew: true,
				ValidateFunc: validation.StringInSlice(kinds, false),
				Description:  "The PostgreSQL object type to grant the privileges on (one of: " + strings.Join(kinds, ", ") + ")",
			},
			"objects": {
				Type: schema.TypeSet, Optional: true, ForceNew: true,
				Elem: &schema.Schema{Type: schema.TypeString}, Set: schema.HashString,
				Description: "The specific objects to grant privileges on for this role (empty means all objects of the requested type)",
			},
			"privileges": {
				Type: schema.TypeSet, Required: true,
				Elem: &schema.Schema{Type: schema.TypeString}, Set: schema.HashString,
				Description: "The list of privileges to grant. An empty list revokes all privileges",
			},
			"with_grant_option": {
				Type: schema.TypeBool, Optional: true, ForceNew: true, Default: false,
				Description: "Permit the grant recipient to grant it to others",
			},
		},
	}
}

// grant is what a resource declares.
type grant struct {
	role, database, schema, objectType string
	objects, privileges                []string
	grantable                          bool
}

func declaredGrant(d *schema.ResourceData) grant {
	return grant{
		role:       d.Get("role").(string),
		database:   d.Get("database").(string),
		schema:     d.Get("schema").(string),
		objectType: d.Get("object_type").(string),
		objects:    sorted(d.Get("objects").(*schema.Set)),
		privileges: sorted(d.Get("privileges").(*schema.Set)),
		grantable:  d.Get("with_grant_option").(bool),
	}
}

func sorted(set *schema.Set) []string {
	values := make([]string, 0, set.Len())
	for _, value := range set.List() {
		values = append(values, value.(string))
	}
	sort.Strings(values)
	return values
}

// check refuses what PostgreSQL would not understand, before anything is changed.
func (g grant) check() error {
	kind, ok := objectKinds[g.objectType]
	if !ok {
		return fmt.Errorf("grant: object type %q is not supported", g.objectType)
	}
	if g.objectType != "database" && g.schema == "" {
		return fmt.Errorf("grant: schema is required for object type %s", g.objectType)
	}
	if len(g.objects) > 0 && kind.all == "" {
		return fmt.Errorf("grant: objects cannot be listed for object type %s", g.objectType)
	}
	if g.grantable && g.role == publicRole {
		return fmt.Errorf("grant: PUBLIC cannot be given a grant option")
	}
	for _, privilege := range g.privileges {
		if privilege != "ALL" && !slices.Contains(kind.privileges, canonical(privilege)) {
			return fmt.Errorf("grant: %s is not a privilege of a %s: use some of %s, or ALL",
				privilege, g.objectType, strings.Join(kind.privileges, ", "))
		}
	}
	return nil
}

func canonical(privilege string) string {
	if privilege == "TEMP" {
		return "TEMPORARY"
	}
	return privilege
}

// id has the form that upstream gives to it.
func (g grant) id() string {
	parts := []string{g.role, g.database}
	if g.objectType != "database" {
		parts = append(parts, g.schema)
	}
	parts = append(parts, g.objectType)
	return strings.Join(append(parts, g.objects...), "_")
}

// target is the ON clause.
func (g grant) target() string {
	switch {
	case g.objectType == "database":
		return "DATABASE " + pq.QuoteIdentifier(g.database)
	case g.objectType == "schema":
		return "SCHEMA " + pq.QuoteIdentifier(g.schema)
	case len(g.objects) == 0:
		return "ALL " + objectKinds[g.objectType].all + " IN SCHEMA " + pq.QuoteIdentifier(g.schema)
	default:
		names := make([]string, len(g.objects))
		for i, object := range g.objects {
			names[i] = pq.QuoteIdentifier(g.schema) + "." + pq.QuoteIdentifier(object)
		}
		return strings.ToUpper(g.objectType) + " " + strings.Join(names, ", ")
	}
}

func (g grant) grantee() string {
	if g.role == publicRole {
		return "PUBLIC"
	}
	return pq.QuoteIdentifier(g.role)
}

func (g grant) revokeStatement() string {
	return fmt.Sprintf("REVOKE ALL PRIVILEGES ON %s FROM %s", g.target(), g.grantee())
}

// grantStatement is empty where nothing is granted.
func (g grant) grantStatement() string {
	if len(g.privileges) == 0 {
		return ""
	}
	option := ""
	if g.grantable {
		option = " WITH GRANT OPTION"
	}
	return fmt.Sprintf("GRANT %s ON %s TO %s%s", strings.Join(g.privileges, ", "), g.target(), g.grantee(), option)
}

// sameAs says whether the privileges found are those declared.
func (g grant) sameAs(found []string) bool {
	wanted := make([]string, 0, len(g.privileges))
	for _, privilege := range g.privileges {
		wanted = append(wanted, canonical(privilege))
	}
	if slices.Contains(wanted, "ALL") {
		// MAINTAIN exists since PostgreSQL 17 only.
		for _, privilege := range objectKinds[g.objectType].privileges {
			if privilege != "MAINTAIN" && !slices.Contains(found, privilege) {
				return false
			}
		}
		return true
	}
	return len(wanted) == len(found) && !slices.ContainsFunc(wanted, func(p string) bool { return !slices.Contains(found, p) })
}

func applyGrant(d *schema.ResourceData, meta any) error {
	g := declaredGrant(d)
	if err := g.check(); err != nil {
		return err
	}
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	err = c.inTransaction(g.database, func(txn *sql.Tx) error {
		return asOwner(txn, g, func() error {
			// In one transaction with the grant: the role is never without what it keeps.
			if _, err := txn.Exec(g.revokeStatement()); err != nil {
				return err
			}
			statement := g.grantStatement()
			if statement == "" {
				return nil
			}
			_, err := txn.Exec(statement)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("grant on %s to %s: %w", g.target(), g.grantee(), err)
	}
	d.SetId(g.id())
	return nil
}

func readGrant(d *schema.ResourceData, meta any) error {
	g := declaredGrant(d)
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	there, err := c.grantable(g)
	if err != nil {
		return err
	}
	if !there {
		d.SetId("")
		return nil
	}
	return c.inTransaction(g.database, func(txn *sql.Tx) error {
		found, err := heldPrivileges(txn, g)
		if err != nil {
			return fmt.Errorf("privileges on %s of %s: %w", g.target(), g.grantee(), err)
		}
		for _, privileges := range found {
			if !g.sameAs(privileges) {
				return d.Set("privileges", privileges)
			}
		}
		return nil
	})
}

func deleteGrant(d *schema.ResourceData, meta any) error {
	g := declaredGrant(d)
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	there, err := c.grantable(g)
	if err != nil || !there {
		return err
	}
	if err := c.inTransaction(g.database, func(txn *sql.Tx) error {
		return asOwner(txn, g, func() error {
			_, err := txn.Exec(g.revokeStatement())
			return err
		})
	}); err != nil {
		return fmt.Errorf("revoke on %s from %s: %w", g.target(), g.grantee(), err)
	}
	return nil
}

// grantable says whether the role, the database and the schema of a grant exist: without one of them there is no grant.
func (c *connection) grantable(g grant) (bool, error) {
	var there bool
	err := c.inTransaction("", func(txn *sql.Tx) error {
		var err error
		there, err = exists(txn, `SELECT ($1 = 'public' OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1))
			AND EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $2)`, g.role, g.database)
		return err
	})
	if err != nil || !there || g.objectType == "database" {
		return there, err
	}
	err = c.inTransaction(g.database, func(txn *sql.Tx) error {
		var err error
		there, err = exists(txn, `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)`, g.schema)
		return err
	})
	return there, err
}

// heldPrivileges returns, for each object that the grant is on, the privileges that its role holds, by name.
func heldPrivileges(txn *sql.Tx, g grant) (map[string][]string, error) {
	scope := g.schema
	if g.objectType == "database" {
		scope = g.database
	}
	query := `SELECT o.name, COALESCE(array_agg(DISTINCT a.privilege_type::text) FILTER (WHERE a.privilege_type IS NOT NULL), '{}')
		FROM (` + objectKinds[g.objectType].query + `) o
		LEFT JOIN LATERAL (
			SELECT privilege_type FROM aclexplode(o.acl)
			WHERE grantee = CASE WHEN $2 = 'public' THEN 0 ELSE (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2) END
		) a ON true
		GROUP BY o.name ORDER BY o.name`
	rows, err := txn.Query(query, scope, g.role)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	held := map[string][]string{}
	for rows.Next() {
		var name string
		var privileges pq.StringArray
		if err := rows.Scan(&name, &privileges); err != nil {
			return nil, err
		}
		if len(g.objects) == 0 || slices.Contains(g.objects, name) {
			held[name] = privileges
		}
	}
	for _, object := range g.objects {
		if _, found := held[object]; !found {
			held[object] = nil
		}
	}
	return held, rows.Err()
}

// asOwner runs do with the rights of those who own the grant's objects. Where the connecting role has them not (it made
// the owning role, and since PostgreSQL 16 may grant it without being able to act as it), it becomes a member for as
// long as the transaction lasts.
func asOwner(txn *sql.Tx, g grant, do func() error) error {
	owners, err := foreignOwners(txn, g)
	if err != nil {
		return fmt.Errorf("reading the owners: %w", err)
	}
	for _, owner := range owners {
		if _, err := txn.Exec("GRANT " + pq.QuoteIdentifier(owner) + " TO CURRENT_USER"); err != nil {
			return fmt.Errorf("becoming a member of the owner %s: %w", owner, err)
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, owner := range owners {
		if _, err := txn.Exec("REVOKE " + pq.QuoteIdentifier(owner) + " FROM CURRENT_USER"); err != nil {
			return fmt.Errorf("leaving the owner %s: %w", owner, err)
		}
	}
	return nil
}

// foreignOwners lists the owners of the grant's objects whose rights the connecting role does not have.
func foreignOwners(txn *sql.Tx, g grant) ([]string, error) {
	query := `SELECT datdba AS owner FROM pg_catalog.pg_database WHERE datname = $1`
	scope := g.database
	if g.objectType != "database" {
		scope = g.schema
		query = `SELECT nspowner AS owner FROM pg_catalog.pg_namespace WHERE nspname = $1`
	}
	switch g.objectType {
	case "table", "sequence":
		query += ` UNION SELECT relowner FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1`
	case "function":
		query += ` UNION SELECT proowner FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE nspname = $1`
	}
	rows, err := txn.Query(`SELECT pg_catalog.pg_get_userbyid(owner) FROM (`+query+`) o
		WHERE NOT pg_catalog.pg_has_role(owner, 'USAGE') ORDER BY 1`, scope)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var owners []string
	for rows.Next() {
		var owner string
		if err := rows.Scan(&owner); err != nil {
			return nil, err
		}
		owners = append(owners, owner)
	}
	return owners, rows.Err()
}
