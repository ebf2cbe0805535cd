//go:build tools

package tools

import (
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	_ "github.com/kislerdm/terraform-provider-neon/provider"
	_ "github.com/terraform-providers/terraform-provider-postgresql/postgresql"
	_ "github.com/terraform-providers/terraform-provider-random/shim"
	_ "github.com/pulumi/pulumi/pkg/v3/codegen/python"
)
