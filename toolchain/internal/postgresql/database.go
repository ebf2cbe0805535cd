package postgresql

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/lib/pq"
)

const (
	// forceDropVersion is the first PostgreSQL (server_version_num) with DROP DATABASE … WITH (FORCE).
	forceDropVersion = 130000
	// invalidDatabase is the connection limit of a database whose DROP was interrupted: it can only be dropped
	// (https://www.postgresql.org/docs/current/manage-ag-dropdb.html).
	invalidDatabase = -2
	defaultKeyword  = "DEFAULT"
)

// keepDatabase takes over what an interrupted create left behind, counts what an interrupted drop left behind as gone,
// and deletes a database although somebody is connected to it, as later releases of the provider do.
func keepDatabase(resource *schema.Resource) {
	create, read, update, remove := resource.Create, resource.Read, resource.Update, resource.Delete
	adopt := func(d *schema.ResourceData, meta any) error { return createDatabase(d, meta, create, read) }
	resource.Create = adopt
	resource.Read = func(d *schema.ResourceData, meta any) error {
		if err := read(d, meta); err != nil || d.Id() == "" {
			return err
		}
		if d.Get("connection_limit").(int) == invalidDatabase {
			d.SetId("")
		}
		return nil
	}
	resource.Update = func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		renamed, err := c.renamed(d, "pg_catalog.pg_database", "datname", "")
		if err != nil {
			return err
		}
		if renamed {
			return adopt(d, meta)
		}
		return update(d, meta)
	}
	resource.Delete = func(d *schema.ResourceData, meta any) error { return dropDatabase(d, meta, remove) }
}

// standingDatabase is a database that is there already.
type standingDatabase struct {
	owner, encoding, collate, ctype, tablespace string
	sameEncoding, allowed, template             bool
	limit                                       int
}

func createDatabase(d *schema.ResourceData, meta any, create schema.CreateFunc, read schema.ReadFunc) error {
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	db, err := c.db("")
	if err != nil {
		return err
	}
	name := d.Get("name").(string)
	standing, err := databaseNamed(db, name, d.Get("encoding").(string))
	if err != nil {
		return fmt.Errorf("reading database %s: %w", name, err)
	}
	if standing != nil && standing.limit == invalidDatabase {
		if _, err := db.Exec("DROP DATABASE IF EXISTS " + pq.QuoteIdentifier(name)); err != nil {
			return fmt.Errorf("removing what an interrupted DROP left of database %s: %w", name, err)
		}
		standing = nil
	}
	if standing == nil {
		return create(d, meta)
	}
	if err := standing.check(d, c.config.Username); err != nil {
		return err
	}
	for _, statement := range standing.statements(d) {
		if _, err := db.Exec(statement); err != nil {
			return fmt.Errorf("database %s is there already and cannot be changed: %w", name, err)
		}
	}
	d.SetId(name)
	return read(d, meta)
}

// databaseNamed is nil where there is none of that name.
func databaseNamed(db *sql.DB, name, encoding string) (*standingDatabase, error) {
	found := &standingDatabase{}
	err := db.QueryRow(`SELECT pg_catalog.pg_get_userbyid(datdba), pg_catalog.pg_encoding_to_char(encoding),
			encoding = pg_catalog.pg_char_to_encoding($2), datcollate, datctype, datallowconn, datistemplate, datconnlimit,
			(SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = dattablespace)
		FROM pg_catalog.pg_database WHERE datname = $1`, name, encoding,
	).Scan(&found.owner, &found.encoding, &found.sameEncoding, &found.collate, &found.ctype, &found.allowed,
		&found.template, &found.limit, &found.tablespace)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// check refuses a database that differs in what it cannot become.
func (s *standingDatabase) check(d *schema.ResourceData, connecting string) error {
	owner := d.Get("owner").(string)
	if owner == "" {
		owner = connecting
	}
	var differs []string
	difference := func(what, is, declared string) {
		differs = append(differs, fmt.Sprintf("its %s is %s, not %s", what, is, declared))
	}
	if s.owner != owner {
		difference("owner", s.owner, owner)
	}
	if encoding := d.Get("encoding").(string); declares(encoding) && !s.sameEncoding {
		difference("encoding", s.encoding, encoding)
	}
	if collate := d.Get("lc_collate").(string); declares(collate) && s.collate != collate {
		difference("collation", s.collate, collate)
	}
	if ctype := d.Get("lc_ctype").(string); declares(ctype) && s.ctype != ctype {
		difference("character type", s.ctype, ctype)
	}
	if len(differs) == 0 {
		return nil
	}
	return fmt.Errorf("database %s is there already and is not taken over: %s; drop or rename it, or change the declaration, then run again",
		d.Get("name"), strings.Join(differs, ", "))
}

func declares(value string) bool { return value != "" && !strings.EqualFold(value, defaultKeyword) }

// statements bring it to what is declared.
func (s *standingDatabase) statements(d *schema.ResourceData) []string {
	alter := "ALTER DATABASE " + pq.QuoteIdentifier(d.Get("name").(string))
	var statements []string
	if limit := d.Get("connection_limit").(int); limit != s.limit {
		statements = append(statements, fmt.Sprintf("%s CONNECTION LIMIT %d", alter, limit))
	}
	if allowed := d.Get("allow_connections").(bool); allowed != s.allowed {
		statements = append(statements, fmt.Sprintf("%s ALLOW_CONNECTIONS %t", alter, allowed))
	}
	if template := d.Get("is_template").(bool); template != s.template {
		statements = append(statements, fmt.Sprintf("%s IS_TEMPLATE %t", alter, template))
	}
	if tablespace := d.Get("tablespace_name").(string); declares(tablespace) && tablespace != s.tablespace {
		statements = append(statements, alter+" SET TABLESPACE "+pq.QuoteIdentifier(tablespace))
	}
	return statements
}

func dropDatabase(d *schema.ResourceData, meta any, remove schema.DeleteFunc) error {
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	there, err := c.hasDatabase(d.Id())
	if err != nil {
		return err
	}
	if !there {
		d.SetId("")
		return nil
	}
	db, err := c.db("")
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRow("SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return fmt.Errorf("could not read the server's version: %w", err)
	}
	if version < forceDropVersion {
		return remove(d, meta)
	}
	name := pq.QuoteIdentifier(d.Id())
	if d.Get("is_template").(bool) {
		if _, err := db.Exec("ALTER DATABASE " + name + " IS_TEMPLATE false"); err != nil {
			return fmt.Errorf("could not clear IS_TEMPLATE of database %s: %w", d.Id(), err)
		}
	}
	if _, err := db.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
		return fmt.Errorf("could not drop database %s: %w", d.Id(), err)
	}
	d.SetId("")
	return nil
}
