package postgresql

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/helper/validation"
	"github.com/lib/pq"
)

// Settings of PostgreSQL that are attributes of a role too, by the same names.
const (
	idleTimeout      = "idle_in_transaction_session_timeout"
	statementTimeout = "statement_timeout"
	searchPath       = "search_path"
)

// keepRole makes and changes a role in ways that may be interrupted and done again, and reads it whatever its settings
// are: every login may change its own (ALTER ROLE current_user SET), and upstream's read fails on a timeout with a unit
// and on any setting with a backslash. It also adds the idle timeout, as later releases of the provider have it:
// milliseconds, 0 or absent for the server's default.
func keepRole(role *schema.Resource) {
	role.Schema[idleTimeout] = &schema.Schema{
		Type:         schema.TypeInt,
		Optional:     true,
		Description:  "Terminate any session with an open transaction that has been idle for longer than the specified duration in milliseconds",
		ValidateFunc: validation.IntAtLeast(0),
	}
	read := role.Read
	role.Read = func(d *schema.ResourceData, meta any) error {
		if err := read(d, meta); err != nil && !isOfRead(err) {
			return err
		}
		return readRole(d, meta)
	}
	readBack := role.Read
	role.Create = func(d *schema.ResourceData, meta any) error {
		if err := createRole(d, meta); err != nil {
			return err
		}
		return readBack(d, meta)
	}
	role.Update = func(d *schema.ResourceData, meta any) error {
		if err := updateRole(d, meta); err != nil {
			return err
		}
		return readBack(d, meta)
	}
	role.Delete = removeRole(role.Delete)
}

// isOfRead tells an error of upstream's read of a role. These errors have no type, and only that read words them so. Our
// own read follows, and reports what is truly wrong, such as a lost connection.
func isOfRead(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "Error reading ROLE: ") || strings.HasPrefix(text, "Error reading statement_timeout: ")
}

// readRole reads everything but the password, which only a superuser could, into d; of a role that is gone, the id is
// emptied.
func readRole(d *schema.ResourceData, meta any) error {
	if d.Id() == "" {
		return nil
	}
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	db, err := c.db("")
	if err != nil {
		return err
	}
	var (
		superuser, inherit, createRole, createDatabase, login, replication, bypassRLS bool
		connectionLimit                                                               int
		validUntil                                                                    string
		groups, settings                                                              pq.StringArray
	)
	err = db.QueryRow(`
		SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
		       rolconnlimit, coalesce(rolvaliduntil::text, 'infinity'),
		       ARRAY(SELECT pg_catalog.pg_get_userbyid(roleid) FROM pg_catalog.pg_auth_members WHERE member = r.oid),
		       rolconfig
		FROM pg_catalog.pg_roles r WHERE rolname = $1`, d.Id(),
	).Scan(&superuser, &inherit, &createRole, &createDatabase, &login, &replication, &bypassRLS,
		&connectionLimit, &validUntil, &groups, &settings)
	if errors.Is(err, sql.ErrNoRows) {
		d.SetId("")
		return nil
	}
	if err != nil {
		return fmt.Errorf("could not read role %s: %w", d.Id(), err)
	}
	var path []string
	if text, found := settingOf(settings, searchPath); found {
		path = parseSearchPath(text)
	}
	for attribute, value := range map[string]any{
		"name":                      d.Id(),
		"superuser":                 superuser,
		"inherit":                   inherit,
		"create_role":               createRole,
		"create_database":           createDatabase,
		"login":                     login,
		"replication":               replication,
		"bypass_row_level_security": bypassRLS,
		"connection_limit":          connectionLimit,
		"valid_until":               validUntil,
		"encrypted_password":        true,
		"roles":                     []string(groups),
		searchPath:                  path,
		statementTimeout:            timeoutOf(settings, statementTimeout),
		idleTimeout:                 timeoutOf(settings, idleTimeout),
	} {
		if err := d.Set(attribute, value); err != nil {
			return fmt.Errorf("could not read %s of role %s: %w", attribute, d.Id(), err)
		}
	}
	return nil
}
