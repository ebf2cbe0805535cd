package postgresql

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/lib/pq"
)

// membershipGrantors is the first PostgreSQL (server_version_num) in which a membership belongs to who granted it, and
// in which one must be its role's admin to alter a role.
const membershipGrantors = 160000

const insufficientPrivilege = "42501"

// roleFlags are the attributes that are on or off, with the words for both, as CREATE ROLE and ALTER ROLE know them.
var roleFlags = []struct{ attribute, column, on, off string }{
	{"superuser", "rolsuper", "SUPERUSER", "NOSUPERUSER"},
	{"create_database", "rolcreatedb", "CREATEDB", "NOCREATEDB"},
	{"create_role", "rolcreaterole", "CREATEROLE", "NOCREATEROLE"},
	{"inherit", "rolinherit", "INHERIT", "NOINHERIT"},
	{"login", "rolcanlogin", "LOGIN", "NOLOGIN"},
	{"replication", "rolreplication", "REPLICATION", "NOREPLICATION"},
	{"bypass_row_level_security", "rolbypassrls", "BYPASSRLS", "NOBYPASSRLS"},
}

// passwordBlock sets a password that it reads from settings of the transaction. As a literal of ALTER ROLE the password
// would stand in the server's log wherever that statement fails, or is logged; an error inside EXECUTE would quote it
// too, so that it is raised anew. Neon accepts no password that was hashed by the client.
const passwordBlock = `DO $block$ -- ALTER ROLE ... PASSWORD
BEGIN
	EXECUTE format('ALTER ROLE %I PASSWORD %L', current_setting('tenantry.role'), current_setting('tenantry.password'));
EXCEPTION WHEN OTHERS THEN
	RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
END $block$`

// roleChange is what is asked of a role. It does not change while an attempt reads the role back.
type roleChange struct {
	name, before    string // before: its name so far, where that changes
	flags           []bool // as roleFlags
	connectionLimit int
	validUntil      string
	password        string
	groups          []string
	searchPath      []string
	timeouts        map[string]int    // by the setting's name, in milliseconds; 0 for the server's default
	concerns        func(string) bool // whether an attribute is to be as asked
	isNew           bool              // whether what is not asked for is to be as in a new role
}

func declaredRole(d *schema.ResourceData, isNew bool) (*roleChange, error) {
	asked := &roleChange{
		name:            d.Get("name").(string),
		connectionLimit: d.Get("connection_limit").(int),
		validUntil:      d.Get("valid_until").(string),
		password:        d.Get("password").(string),
		groups:          sorted(d.Get("roles").(*schema.Set)),
		timeouts: map[string]int{
			statementTimeout: d.Get(statementTimeout).(int),
			idleTimeout:      d.Get(idleTimeout).(int),
		},
		isNew: isNew,
	}
	for _, flag := range roleFlags {
		asked.flags = append(asked.flags, d.Get(flag.attribute).(bool))
	}
	for _, element := range d.Get(searchPath).([]any) {
		name, _ := element.(string)
		if strings.Contains(name, ", ") {
			return nil, fmt.Errorf("role %s: search_path cannot contain `, `: %q", asked.name, name)
		}
		asked.searchPath = append(asked.searchPath, name)
	}
	if strings.EqualFold(asked.password, "NULL") {
		asked.password = ""
	}
	if asked.validUntil == "" {
		asked.validUntil = "infinity"
	}
	changed := map[string]bool{}
	for _, attribute := range []string{
		"name", "connection_limit", "valid_until", "password", "roles", searchPath, statementTimeout, idleTimeout,
	} {
		changed[attribute] = d.HasChange(attribute)
	}
	for _, flag := range roleFlags {
		changed[flag.attribute] = d.HasChange(flag.attribute)
	}
	asked.concerns = func(attribute string) bool { return isNew || changed[attribute] }
	if before, _ := d.GetChange("name"); !isNew && changed["name"] {
		asked.before = before.(string)
	}
	return asked, nil
}

// createRole makes a role, or takes over the one of its name that the connecting role may alter, and gives it all that
// is asked for in one transaction.
func createRole(d *schema.ResourceData, meta any) error { return changeRole(d, meta, true) }

// updateRole changes the attributes that are to change.
func updateRole(d *schema.ResourceData, meta any) error { return changeRole(d, meta, false) }

func changeRole(d *schema.ResourceData, meta any, isNew bool) error {
	asked, err := declaredRole(d, isNew)
	if err != nil {
		return err
	}
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	if err := c.inTransaction("", asked.apply); err != nil {
		if codeOf(err) == insufficientPrivilege && isNew {
			return fmt.Errorf("role %s cannot be made as declared by %s: %w: "+
				"if the role is there already and is not %[2]s's to alter, drop or rename it, then run again",
				asked.name, c.config.Username, err)
		}
		return fmt.Errorf("role %s: %w", asked.name, err)
	}
	d.SetId(asked.name)
	return nil
}

// apply brings the role to what is asked.
func (asked *roleChange) apply(txn *sql.Tx) error {
	var version int
	var self string
	if err := txn.QueryRow("SELECT current_setting('server_version_num')::int, current_user").Scan(&version, &self); err != nil {
		return err
	}
	if err := asked.rename(txn); err != nil {
		return err
	}
	has, there, err := asked.flagsOf(txn)
	if err != nil {
		return err
	}
	taken := there && asked.isNew
	if taken && asked.name == self {
		return errors.New("it is the role that this connection was made as: declare another name")
	}
	if !there {
		if !asked.isNew {
			return errors.New("it is gone: `tenantry up -- --refresh` makes it anew")
		}
		if _, err := txn.Exec("CREATE ROLE " + asked.quoted()); err != nil {
			return err
		}
		if has, _, err = asked.flagsOf(txn); err != nil {
			return err
		}
	}
	statements := asked.attributeStatements(has)
	settings, err := asked.settingStatements(txn, taken)
	if err != nil {
		return err
	}
	memberships, err := asked.membershipStatements(txn, self, version)
	if err != nil {
		return err
	}
	for _, statement := range slices.Concat(statements, settings, memberships) {
		if _, err := txn.Exec(statement); err != nil {
			return err
		}
	}
	if asked.concerns("password") || asked.before != "" {
		return asked.setPassword(txn, there)
	}
	return nil
}

func (asked *roleChange) quoted() string { return pq.QuoteIdentifier(asked.name) }

// rename does nothing where an interrupted update has done it.
func (asked *roleChange) rename(txn *sql.Tx) error {
	if asked.before == "" {
		return nil
	}
	renamed, err := exists(txn, `SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)
		AND EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $2)`, asked.before, asked.name)
	if err != nil || renamed {
		return err
	}
	_, err = txn.Exec("ALTER ROLE " + pq.QuoteIdentifier(asked.before) + " RENAME TO " + asked.quoted())
	return err
}

// flagsOf reads the role's flags, in the order of roleFlags, and whether there is such a role.
func (asked *roleChange) flagsOf(txn *sql.Tx) ([]bool, bool, error) {
	columns := make([]string, len(roleFlags))
	for i, flag := range roleFlags {
		columns[i] = flag.column
	}
	var flags pq.BoolArray
	err := txn.QueryRow("SELECT ARRAY["+strings.Join(columns, ", ")+"] FROM pg_catalog.pg_roles WHERE rolname = $1", asked.name).Scan(&flags)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return flags, err == nil, err
}

// attributeStatements names of the flags those that differ: PostgreSQL asks for rights of one's own where one is named.
func (asked *roleChange) attributeStatements(has []bool) []string {
	var words []string
	for i, flag := range roleFlags {
		if !asked.concerns(flag.attribute) || has[i] == asked.flags[i] {
			continue
		}
		if asked.flags[i] {
			words = append(words, flag.on)
		} else {
			words = append(words, flag.off)
		}
	}
	if asked.concerns("connection_limit") {
		words = append(words, fmt.Sprintf("CONNECTION LIMIT %d", asked.connectionLimit))
	}
	if asked.concerns("valid_until") {
		words = append(words, "VALID UNTIL "+pq.QuoteLiteral(asked.validUntil))
	}
	if len(words) == 0 {
		return nil
	}
	return []string{"ALTER ROLE " + asked.quoted() + " WITH " + strings.Join(words, " ")}
}

// settingStatements empties the settings of a role that is taken over, and sets those asked for.
func (asked *roleChange) settingStatements(txn *sql.Tx, taken bool) ([]string, error) {
	alter := "ALTER ROLE " + asked.quoted()
	var statements []string
	if taken {
		databases, err := names(txn, `SELECT d.datname FROM pg_catalog.pg_db_role_setting s
			JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
			WHERE s.setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1) ORDER BY 1`, asked.name)
		if err != nil {
			return nil, err
		}
		statements = append(statements, alter+" RESET ALL")
		for _, database := range databases {
			statements = append(statements, alter+" IN DATABASE "+pq.QuoteIdentifier(database)+" RESET ALL")
		}
	}
	if asked.concerns(searchPath) {
		if len(asked.searchPath) > 0 {
			quoted := make([]string, len(asked.searchPath))
			for i, name := range asked.searchPath {
				quoted[i] = pq.QuoteIdentifier(name)
			}
			statements = append(statements, alter+" SET search_path TO "+strings.Join(quoted, ", "))
		} else if !asked.isNew {
			statements = append(statements, alter+" RESET search_path")
		}
	}
	for _, name := range []string{statementTimeout, idleTimeout} {
		milliseconds := asked.timeouts[name]
		if asked.concerns(name) && (milliseconds != 0 || !asked.isNew) {
			statements = append(statements, timeoutStatement(asked.name, name, milliseconds))
		}
	}
	return statements, nil
}

func timeoutStatement(role, setting string, milliseconds int) string {
	if milliseconds == 0 {
		return fmt.Sprintf("ALTER ROLE %s RESET %s", pq.QuoteIdentifier(role), setting)
	}
	return fmt.Sprintf("ALTER ROLE %s SET %s TO %d", pq.QuoteIdentifier(role), setting, milliseconds)
}

// membershipStatements makes the role a member of what is asked and of nothing else. Others stay members of it: they
// have declarations of their own.
func (asked *roleChange) membershipStatements(txn *sql.Tx, self string, version int) ([]string, error) {
	if !asked.concerns("roles") {
		return nil, nil
	}
	rows, err := txn.Query(`SELECT pg_catalog.pg_get_userbyid(roleid), pg_catalog.pg_get_userbyid(grantor)
		FROM pg_catalog.pg_auth_members
		WHERE member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1) ORDER BY 1, 2`, asked.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var group, grantor string
		if err := rows.Scan(&group, &grantor); err != nil {
			return nil, err
		}
		// One's own is granted anew below, with the options of a new one.
		if slices.Contains(asked.groups, group) && grantor != self {
			continue
		}
		revoke := "REVOKE " + pq.QuoteIdentifier(group) + " FROM " + asked.quoted()
		if version >= membershipGrantors {
			revoke += " GRANTED BY " + pq.QuoteIdentifier(grantor)
		}
		statements = append(statements, revoke)
	}
	for _, group := range asked.groups {
		statements = append(statements, "GRANT "+pq.QuoteIdentifier(group)+" TO "+asked.quoted())
	}
	return statements, rows.Err()
}

// setPassword sets the password, or takes it away where none is asked for.
func (asked *roleChange) setPassword(txn *sql.Tx, there bool) error {
	if asked.password == "" {
		if !there {
			return nil
		}
		_, err := txn.Exec("ALTER ROLE " + asked.quoted() + " PASSWORD NULL")
		return err
	}
	if _, err := txn.Exec("SELECT set_config('tenantry.role', $1, true), set_config('tenantry.password', $2, true)",
		asked.name, asked.password); err != nil {
		return err
	}
	_, err := txn.Exec(passwordBlock)
	return err
}

// removeRole keeps upstream's delete for a role that is there.
func removeRole(remove schema.DeleteFunc) schema.DeleteFunc {
	return func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		there, err := c.found("", `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)`, d.Get("name").(string))
		if err != nil {
			return err
		}
		if there {
			return remove(d, meta)
		}
		d.SetId("")
		return nil
	}
}

// names runs a query that yields names.
func names(txn *sql.Tx, query string, args ...any) ([]string, error) {
	rows, err := txn.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		found = append(found, name)
	}
	return found, rows.Err()
}
