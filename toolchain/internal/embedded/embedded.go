// Package embedded holds the package schemas that the build computes once, so that no plugin has to compute its
// own at each start. The build writes them into schemas/ between its two passes; they are not committed.
package embedded

import (
	"embed"
	"fmt"
)

//go:embed all:schemas
var files embed.FS

// Schema returns the package schema (JSON) of the named package: "random", "postgresql", "terraform-provider" or "neon".
// It fails in a binary that was built without its schemas.
func Schema(name string) ([]byte, error) {
	data, err := files.ReadFile("schemas/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("this plugin was built without the schema of %q: build it with `tenantry engine`", name)
	}
	return data, nil
}
