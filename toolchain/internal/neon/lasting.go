package neon

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// lasting are the settings of a project that stay as they are where nothing is said of them.
var lasting = []string{
	"block_public_connections", "enable_logical_replication",
	// Of these the registry says nothing; a project that was adopted may have them.
	"block_vpc_connections", "allowed_ips_protected_branches_only",
}

// withLastingSettings returns a project's attributes, with the settings that upstream gets wrong put right. A setting that
// is no longer said, or that somebody made by hand, would otherwise differ for ever: upstream sends nothing for it. And
// logical replication would replace the project with all its data, though Neon turns it on in place.
func withLastingSettings(attributes map[string]*schema.Schema) map[string]*schema.Schema {
	own := maps.Clone(attributes)
	for _, name := range lasting {
		setting := *own[name]
		setting.ForceNew = false
		setting.DiffSuppressFunc = func(_, _, said string, _ *schema.ResourceData) bool { return said == "" }
		own[name] = &setting
	}
	return own
}
