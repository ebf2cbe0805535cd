package postgresql

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/blang/semver"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	upstream "github.com/terraform-providers/terraform-provider-postgresql/postgresql"
)

// connections of the configured providers, by the upstream client that stands for each: the upstream resources demand
// that client for their meta value, and it keeps its settings to itself.
var connections sync.Map // *upstream.Client → *connection

// connection reaches the databases of one configured provider.
type connection struct {
	config   upstream.Config
	database string
	// Upstream serializes its own changes by a lock that nothing else can take. PostgreSQL refuses concurrent changes
	// of one catalog row ("tuple concurrently updated"), so that all changes take this lock first.
	lock sync.Mutex
	// How long this provider's server may be away.
	patience *patience
	pools    struct {
		sync.Mutex
		by map[string]*sql.DB
	}
}

// Provider returns the upstream provider with the additions of this package.
func Provider() *schema.Provider {
	p := upstream.Provider().(*schema.Provider)

	configure := p.ConfigureFunc
	p.ConfigureFunc = func(d *schema.ResourceData) (any, error) {
		patience, err := newPatience(p.StopContext().Done())
		if err != nil {
			return nil, err
		}
		c := newConnection(d, patience)
		var meta any
		// Without a version given, upstream asks the server for it here.
		if err := patience.persist(transient, func() error {
			var err error
			meta, err = configure(d)
			return err
		}); err != nil {
			return nil, c.failed(d, err)
		}
		connections.Store(meta.(*upstream.Client), c)
		return meta, nil
	}

	resources := p.ResourcesMap
	keepRole(resources["postgresql_role"])
	keepDatabase(resources["postgresql_database"])
	keepSchema(resources["postgresql_schema"])
	keepExtension(resources["postgresql_extension"])
	keepDefaultPrivileges(resources["postgresql_default_privileges"])
	resources["postgresql_grant"] = grantResource()
	for _, resource := range resources {
		resource.Create = reliable(resource.Create, racing, true)
		if resource.Update != nil {
			resource.Update = unlessItFailed(reliable(resource.Update, transient, true))
		}
		resource.Delete = reliable(resource.Delete, transient, true)
		resource.Read = reliable(resource.Read, transient, false)
		if exists := resource.Exists; exists != nil {
			resource.Exists = func(d *schema.ResourceData, meta any) (bool, error) {
				var found bool
				err := reliable(func(d *schema.ResourceData, meta any) error {
					var err error
					found, err = exists(d, meta)
					return err
				}, transient, false)(d, meta)
				return found, err
			}
		}
	}
	return p
}

func newConnection(d *schema.ResourceData, patience *patience) *connection {
	// Validated by the provider's schema.
	version, _ := semver.ParseTolerant(d.Get("expected_version").(string))
	mode := d.Get("sslmode").(string)
	if mode == "" {
		mode = d.Get("ssl_mode").(string)
	}
	config := upstream.Config{
		Host:              d.Get("host").(string),
		Port:              d.Get("port").(int),
		Username:          d.Get("username").(string),
		Password:          d.Get("password").(string),
		DatabaseUsername:  d.Get("database_username").(string),
		Superuser:         d.Get("superuser").(bool),
		SSLMode:           mode,
		ApplicationName:   "Pulumi provider",
		ConnectTimeoutSec: d.Get("connect_timeout").(int),
		MaxConns:          d.Get("max_connections").(int),
		ExpectedVersion:   version,
		SSLRootCertPath:   d.Get("sslrootcert").(string),
	}
	if list := d.Get("clientcert").([]any); len(list) > 0 {
		if spec, ok := list[0].(map[string]any); ok {
			config.SSLClientCert = &upstream.ClientCertificateConfig{
				CertificatePath: spec["cert"].(string),
				KeyPath:         spec["key"].(string),
			}
		}
	}
	c := &connection{config: config, database: d.Get("database").(string), patience: patience}
	c.pools.by = map[string]*sql.DB{}
	return c
}

func connectionOf(meta any) (*connection, error) {
	client, ok := meta.(*upstream.Client)
	if !ok {
		return nil, errors.New("the PostgreSQL provider is not configured")
	}
	found, ok := connections.Load(client)
	if !ok {
		return nil, errors.New("the PostgreSQL provider is not configured")
	}
	return found.(*connection), nil
}

// reliable tries an operation again while its failure passes, changes one at a time for each configured provider, and
// words what fails for good. Every operation of this package may be done twice.
func reliable[F ~func(*schema.ResourceData, any) error](operation F, passes func(error) bool, changes bool) F {
	return func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		return c.failed(d, c.patience.persist(passes, func() error {
			if changes {
				c.lock.Lock()
				defer c.lock.Unlock()
			}
			return operation(d, meta)
		}))
	}
}

// inTransaction runs do in a transaction on a database and commits it, or rolls it back where do fails.
func (c *connection) inTransaction(database string, do func(*sql.Tx) error) error {
	db, err := c.db(database)
	if err != nil {
		return err
	}
	txn, err := db.Begin()
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", c.config.Host, err)
	}
	if err := do(txn); err != nil {
		// A connection that was lost cannot be told to roll back, and has nothing to add.
		_ = txn.Rollback()
		return err
	}
	return txn.Commit()
}

// unlessItFailed keeps what is asked for out of the state when it could not be done. The SDK would note it all the same,
// and the next run would find no difference: a login's URL would go out with a password that was never set.
func unlessItFailed(update schema.UpdateFunc) schema.UpdateFunc {
	return func(d *schema.ResourceData, meta any) error {
		err := update(d, meta)
		d.Partial(err != nil)
		return err
	}
}

// databaseOf is the database that a resource is in, by default the provider's own.
func (c *connection) databaseOf(d *schema.ResourceData) string {
	if database, given := d.GetOk("database"); given {
		return database.(string)
	}
	return c.database
}

// hasDatabase says whether there is a database of that name.
func (c *connection) hasDatabase(name string) (bool, error) {
	return c.found("", `SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)`, name)
}

// found runs a query that yields one boolean on a database.
func (c *connection) found(database, query string, args ...any) (bool, error) {
	var found bool
	err := c.inTransaction(database, func(txn *sql.Tx) error {
		var err error
		found, err = exists(txn, query, args...)
		return err
	})
	return found, err
}

// names runs a query that yields names on a database.
func (c *connection) names(database, query string, args ...any) ([]string, error) {
	var found []string
	err := c.inTransaction(database, func(txn *sql.Tx) error {
		var err error
		found, err = names(txn, query, args...)
		return err
	})
	return found, err
}

// renamed says whether an interrupted update has changed the name already that d is to change: the catalog's table has
// the new one and not the old one.
func (c *connection) renamed(d *schema.ResourceData, table, column, database string) (bool, error) {
	if !d.HasChange("name") {
		return false, nil
	}
	before, wanted := d.GetChange("name")
	return c.found(database, fmt.Sprintf(`SELECT NOT EXISTS (SELECT FROM %s WHERE %s = $1)
		AND EXISTS (SELECT FROM %[1]s WHERE %[2]s = $2)`, table, column), before, wanted)
}

// insideDatabase counts what is in a database that is gone as gone.
func insideDatabase(remove schema.DeleteFunc) schema.DeleteFunc {
	return func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		there, err := c.hasDatabase(c.databaseOf(d))
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

// exists runs a query that yields one boolean.
func exists(txn *sql.Tx, query string, args ...any) (bool, error) {
	var found bool
	err := txn.QueryRow(query, args...).Scan(&found)
	return found, err
}
