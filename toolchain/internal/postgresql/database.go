package postgresql

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/lib/pq"
)

// forceDropVersion is the first PostgreSQL (server_version_num) with DROP DATABASE … WITH (FORCE).
const forceDropVersion = 130000

// dropInUse deletes a database although somebody is connected to it, as later releases of the provider do.
func dropInUse(resource *schema.Resource) {
	remove := resource.Delete
	resource.Delete = func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
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
}
