package postgresql

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
)

// keepSchema takes over a schema of the declared owner only: upstream would try to give it another one. It also stops a
// schema whose policies are not declared from reporting the grants that other resources made on it: each grant would
// show as drift of the schema.
func keepSchema(resource *schema.Resource) {
	create, read, update, remove := resource.Create, resource.Read, resource.Update, resource.Delete
	adopt := func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		name, database := d.Get("name").(string), c.databaseOf(d)
		owners, err := c.names(database, `SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname = $1`, name)
		if err != nil {
			return fmt.Errorf("reading schema %s: %w", name, err)
		}
		if owner := d.Get("owner").(string); owner != "" && len(owners) > 0 && owners[0] != owner {
			return fmt.Errorf("schema %s of database %s is there already and is not taken over: its owner is %s, not %s; "+
				"drop or rename it, or change its owner, then run again", name, database, owners[0], owner)
		}
		return create(d, meta)
	}
	resource.Create = adopt
	resource.Read = func(d *schema.ResourceData, meta any) error {
		before := d.Get("policy").(*schema.Set)
		// An import has no name yet, and takes the policies as they are.
		imported := d.Get("name").(string) == ""
		if err := read(d, meta); err != nil || d.Id() == "" {
			return err
		}
		if !imported && before.Len() == 0 {
			return d.Set("policy", before)
		}
		return nil
	}
	resource.Update = func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		renamed, err := c.renamed(d, "pg_catalog.pg_namespace", "nspname", c.databaseOf(d))
		if err != nil {
			return err
		}
		if renamed {
			return adopt(d, meta)
		}
		return update(d, meta)
	}
	resource.Delete = insideDatabase(remove)
}
