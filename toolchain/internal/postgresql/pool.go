package postgresql

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/lib/pq"
)

// silence is how long a server may leave a statement without an answer. It is longer than the wake of a suspended
// compute, and ends what would wait for good: a lock that a killed run still holds, a peer that is gone without a word.
const silence = 90 * time.Second

// patientDialer makes connections that give up on a peer that is silent for too long.
type patientDialer struct{ net.Dialer }

func (d *patientDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *patientDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d *patientDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	opened, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: opened}, nil
}

// patientConn bounds each read and each write. The driver's own deadline, that of connecting, may only be earlier.
type patientConn struct {
	net.Conn
	deadline time.Time
}

func (c *patientConn) SetDeadline(deadline time.Time) error {
	c.deadline = deadline
	return c.Conn.SetDeadline(deadline)
}

func (c *patientConn) bound() error {
	deadline := time.Now().Add(silence)
	if !c.deadline.IsZero() && c.deadline.Before(deadline) {
		deadline = c.deadline
	}
	return c.Conn.SetDeadline(deadline)
}

func (c *patientConn) Read(into []byte) (int, error) {
	if err := c.bound(); err != nil {
		return 0, err
	}
	return c.Conn.Read(into)
}

func (c *patientConn) Write(bytes []byte) (int, error) {
	if err := c.bound(); err != nil {
		return 0, err
	}
	return c.Conn.Write(bytes)
}

// db returns the pool of connections to a database, the provider's own for "". Nothing is kept open: a database with an
// idle session can neither be dropped nor copied.
func (c *connection) db(database string) (*sql.DB, error) {
	if database == "" {
		database = c.database
	}
	c.pools.Lock()
	defer c.pools.Unlock()
	if pool, found := c.pools.by[database]; found {
		return pool, nil
	}
	connector, err := pq.NewConnector(c.settings(database))
	if err != nil {
		return nil, fmt.Errorf("the connection's settings: %w", err)
	}
	connector.Dialer(&patientDialer{})
	pool := sql.OpenDB(connector)
	pool.SetMaxIdleConns(0)
	pool.SetMaxOpenConns(c.config.MaxConns)
	c.pools.by[database] = pool
	return pool, nil
}

// settings are those that upstream connects with, for a database.
func (c *connection) settings(database string) string {
	settings := []string{
		"dbname", database,
		"host", c.config.Host,
		"port", fmt.Sprint(c.config.Port),
		"user", c.config.Username,
		"password", c.config.Password,
		"sslmode", c.config.SSLMode,
		"connect_timeout", fmt.Sprint(c.config.ConnectTimeoutSec),
		"fallback_application_name", c.config.ApplicationName,
		"sslrootcert", c.config.SSLRootCertPath,
	}
	if cert := c.config.SSLClientCert; cert != nil {
		settings = append(settings, "sslcert", cert.CertificatePath, "sslkey", cert.KeyPath)
	}
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var text strings.Builder
	for i := 0; i < len(settings); i += 2 {
		// Not given, it is left to the environment and the driver's default.
		if settings[i+1] != "" {
			fmt.Fprintf(&text, "%s='%s' ", settings[i], quote.Replace(settings[i+1]))
		}
	}
	return text.String()
}
