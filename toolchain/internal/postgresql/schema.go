package postgresql

import "github.com/hashicorp/terraform-plugin-sdk/helper/schema"

// keepPolicies stops a schema whose policies are not declared from reporting the grants that other resources made on
// it: each grant would show as drift of the schema.
func keepPolicies(resource *schema.Resource) {
	read := resource.Read
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
}
