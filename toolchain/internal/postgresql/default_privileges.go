package postgresql

import "github.com/hashicorp/terraform-plugin-sdk/helper/schema"

// keepDefaultPrivileges counts default privileges as gone where the role, its owner, the database or the schema is.
func keepDefaultPrivileges(resource *schema.Resource) {
	remove := resource.Delete
	resource.Delete = func(d *schema.ResourceData, meta any) error {
		c, err := connectionOf(meta)
		if err != nil {
			return err
		}
		there, err := c.grantable(grant{
			role: d.Get("role").(string), database: d.Get("database").(string),
			schema: d.Get("schema").(string), objectType: d.Get("object_type").(string),
		})
		if err == nil && there {
			there, err = c.found("", `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)`, d.Get("owner").(string))
		}
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
