package postgresql

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/lib/pq"
)

// keepExtension brings an extension that is there already to the declared schema and version: upstream's CREATE … IF NOT
// EXISTS leaves it as it is.
func keepExtension(resource *schema.Resource) {
	create, remove := resource.Create, resource.Delete
	resource.Create = func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		// Upstream's create ends with a read into d.
		name, schemaName, version := d.Get("name").(string), d.Get("schema").(string), d.Get("version").(string)
		if err := create(d, meta); err != nil {
			return err
		}
		alter := "ALTER EXTENSION " + pq.QuoteIdentifier(name)
		var statements []string
		if version != "" && version != d.Get("version").(string) {
			statements = append(statements, alter+" UPDATE TO "+pq.QuoteIdentifier(version))
		}
		if schemaName != "" && schemaName != d.Get("schema").(string) {
			statements = append(statements, alter+" SET SCHEMA "+pq.QuoteIdentifier(schemaName))
		}
		db, err := c.db(c.databaseOf(d))
		if err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := db.Exec(statement); err != nil {
				return fmt.Errorf("extension %s is there already and cannot be changed: %w", name, err)
			}
		}
		if len(statements) > 0 {
			return resource.Read(d, meta)
		}
		return nil
	}
	resource.Delete = insideDatabase(func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		there, err := c.found(c.databaseOf(d), `SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = $1)`, d.Get("name").(string))
		if err != nil || there {
			if err == nil {
				err = remove(d, meta)
			}
			return err
		}
		d.SetId("")
		return nil
	})
}
