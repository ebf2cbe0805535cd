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
}

// Provider returns the upstream provider with the additions of this package.
func Provider() *schema.Provider {
	p := upstream.Provider().(*schema.Provider)

	configure := p.ConfigureFunc
	p.ConfigureFunc = func(d *schema.ResourceData) (any, error) {
		meta, err := configure(d)
		if err != nil {
			return nil, err
		}
		connections.Store(meta.(*upstream.Client), newConnection(d))
		return meta, nil
	}

	resources := p.ResourcesMap
	readSettings(resources["postgresql_role"])
	keepPolicies(resources["postgresql_schema"])
	dropInUse(resources["postgresql_database"])
	resources["postgresql_grant"] = grantResource()
	for _, resource := range resources {
		resource.Create = serialized(resource.Create)
		if resource.Update != nil {
			resource.Update = serialized(resource.Update)
		}
		resource.Delete = serialized(resource.Delete)
	}
	return p
}

func newConnection(d *schema.ResourceData) *connection {
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
	return &connection{config: config, database: d.Get("database").(string)}
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

// serialized runs one change at a time for each configured provider.
func serialized[F ~func(*schema.ResourceData, any) error](change F) F {
	return func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		c.lock.Lock()
		defer c.lock.Unlock()
		return change(d, meta)
	}
}

// db returns the pool of connections to a database, the provider's own for "".
func (c *connection) db(database string) (*sql.DB, error) {
	if database == "" {
		database = c.database
	}
	client, err := c.config.NewClient(database)
	if err != nil {
		return nil, err
	}
	return client.DB(), nil
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
		return errors.Join(err, txn.Rollback())
	}
	return txn.Commit()
}

// exists runs a query that yields one boolean.
func exists(txn *sql.Tx, query string, args ...any) (bool, error) {
	var found bool
	err := txn.QueryRow(query, args...).Scan(&found)
	return found, err
}
