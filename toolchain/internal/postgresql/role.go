package postgresql

import (
	"database/sql"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/helper/validation"
	"github.com/lib/pq"
)

// idleTimeout is both the attribute of the official package and the setting of PostgreSQL.
const idleTimeout = "idle_in_transaction_session_timeout"

// addIdleTimeout adds the attribute, as later releases of the provider have it: milliseconds, 0 or absent for the
// server's default.
func addIdleTimeout(role *schema.Resource) {
	role.Schema[idleTimeout] = &schema.Schema{
		Type:         schema.TypeInt,
		Optional:     true,
		Description:  "Terminate any session with an open transaction that has been idle for longer than the specified duration in milliseconds",
		ValidateFunc: validation.IntAtLeast(0),
	}
	create, read, update := role.Create, role.Read, role.Update
	role.Create = func(d *schema.ResourceData, meta any) error {
		// Upstream's create ends with a read into d: it must not hide what is asked for.
		wanted := d.Get(idleTimeout).(int)
		if err := create(d, meta); err != nil {
			return err
		}
		if wanted == 0 {
			return nil
		}
		return setIdleTimeout(d, meta, wanted)
	}
	role.Read = func(d *schema.ResourceData, meta any) error {
		if err := read(d, meta); err != nil || d.Id() == "" {
			return err
		}
		return readIdleTimeout(d, meta)
	}
	role.Update = func(d *schema.ResourceData, meta any) error {
		changed, wanted := d.HasChange(idleTimeout), d.Get(idleTimeout).(int)
		if err := update(d, meta); err != nil || !changed {
			return err
		}
		return setIdleTimeout(d, meta, wanted)
	}
}

func setIdleTimeout(d *schema.ResourceData, meta any, milliseconds int) error {
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	statement := idleTimeoutStatement(d.Id(), milliseconds)
	if err := c.inTransaction("", func(txn *sql.Tx) error {
		_, err := txn.Exec(statement)
		return err
	}); err != nil {
		return fmt.Errorf("could not set %s of role %s: %w", idleTimeout, d.Id(), err)
	}
	return d.Set(idleTimeout, milliseconds)
}

func idleTimeoutStatement(role string, milliseconds int) string {
	if milliseconds == 0 {
		return fmt.Sprintf("ALTER ROLE %s RESET %s", pq.QuoteIdentifier(role), idleTimeout)
	}
	return fmt.Sprintf("ALTER ROLE %s SET %s TO %d", pq.QuoteIdentifier(role), idleTimeout, milliseconds)
}

func readIdleTimeout(d *schema.ResourceData, meta any) error {
	c, err := connectionOf(meta)
	if err != nil {
		return err
	}
	var settings pq.StringArray
	if err := c.inTransaction("", func(txn *sql.Tx) error {
		return txn.QueryRow("SELECT rolconfig FROM pg_catalog.pg_roles WHERE rolname = $1", d.Id()).Scan(&settings)
	}); err != nil {
		return fmt.Errorf("could not read the settings of role %s: %w", d.Id(), err)
	}
	milliseconds := 0
	for _, setting := range settings {
		if value, found := strings.CutPrefix(setting, idleTimeout+"="); found {
			if milliseconds, err = parseDuration(value); err != nil {
				return fmt.Errorf("could not read %s of role %s: %w", idleTimeout, d.Id(), err)
			}
		}
	}
	return d.Set(idleTimeout, milliseconds)
}

var duration = regexp.MustCompile(`^([0-9.]+) *(us|ms|s|min|h|d)?$`)

// parseDuration reads a value as somebody may have set it by hand. PostgreSQL keeps a role's settings as they were
// written, with or without a unit (documentation, 19.1.1: us, ms, s, min, h, d). The result is in milliseconds.
func parseDuration(value string) (int, error) {
	parts := duration.FindStringSubmatch(value)
	if parts == nil {
		return 0, fmt.Errorf("%q is not a duration", value)
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", value)
	}
	unit := map[string]float64{"us": 0.001, "": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
	return int(math.Round(number * unit[parts[2]])), nil
}
