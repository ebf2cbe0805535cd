package neon

import (
	"context"
	"fmt"
	"strings"

	"github.com/blang/semver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-mux/tf5to6server"
	"github.com/pulumi/pulumi-terraform-bridge/v3/dynamic/parameterize"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/proto"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

const (
	// Version of the bridged Terraform provider.
	Version = "0.13.0"
	// BaseName and BaseVersion name the plugin that official tools take for the package.
	BaseName    = "terraform-provider"
	BaseVersion = "1.1.3"

	shortSource = "kislerdm/neon"
	source      = "registry.opentofu.org/kislerdm/neon"
)

// BaseInfo describes the plugin before it is told which provider to be.
func BaseInfo() tfbridge.ProviderInfo {
	return tfbridge.ProviderInfo{
		P:            proto.Empty(),
		Name:         BaseName,
		DisplayName:  "Any Terraform Provider",
		Description:  "Use the Terraform provider kislerdm/neon with Pulumi",
		License:      "Apache-2.0",
		Repository:   "https://github.com/pulumi/pulumi-terraform-provider",
		Version:      BaseVersion,
		MetadataInfo: &tfbridge.MetadataInfo{Data: tfbridge.ProviderMetadata(nil)},
		SchemaPostProcessor: func(spec *schema.PackageSpec) {
			spec.Attribution = ""
			spec.Provider = &schema.ResourceSpec{}
			spec.Language = nil
		},
	}
}

// Info describes the parameterized package. It is put together as the official bridge does it, from the provider's
// protocol and not from its Go types: both ways differ in which properties are lists and which are required.
func Info(ctx context.Context) (tfbridge.ProviderInfo, error) {
	server, err := tf5to6server.UpgradeServer(ctx, func() tfprotov5.ProviderServer { return Provider().GRPCProvider() })
	if err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("the protocol of %s: %w", shortSource, err)
	}
	info := tfbridge.ProviderInfo{
		P:              proto.New(ctx, server),
		Name:           "neon",
		Version:        Version,
		Description:    "A Pulumi provider dynamically bridged from neon.",
		Publisher:      "kislerdm",
		GitHubOrg:      "kislerdm",
		Repository:     "https://github.com/kislerdm/terraform-provider-neon",
		ResourcePrefix: "neon",
		MetadataInfo:   &tfbridge.MetadataInfo{Data: tfbridge.ProviderMetadata(nil)},
		Python: &tfbridge.PythonInfo{
			PyProject:            struct{ Enabled bool }{true},
			RespectSchemaVersion: true,
		},
		SchemaPostProcessor: func(spec *schema.PackageSpec) {
			spec.Parameterization = &schema.ParameterizationSpec{
				BaseProvider: schema.BaseProviderSpec{Name: BaseName, Version: BaseVersion},
				Parameter:    parameter(),
			}
		},
	}
	standard := tokens.MakeStandard(info.Name)
	if err := info.ComputeTokens(tokens.WithCaseInsensitiveDedup(
		tokens.SingleModule(info.GetResourcePrefix(), "index", standard), standard, info.MetadataInfo.Data)); err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("the tokens of %s: %w", shortSource, err)
	}
	info.SetAutonaming(255, "-")
	return info, nil
}

func parameter() []byte {
	value := parameterize.Value{Remote: &parameterize.RemoteValue{URL: source, Version: Version}}
	return value.Marshal()
}

// Metadata tells the bridge's server how to become the parameterized package. baseSchema and packageSchema are the
// package schemas before and after.
func Metadata(baseSchema, packageSchema []byte) pf.ProviderMetadata {
	parameterized := false
	var metadata pf.ProviderMetadata
	metadata = pf.ProviderMetadata{
		XGetSchema: func(context.Context, plugin.GetSchemaRequest) ([]byte, error) {
			if parameterized {
				return packageSchema, nil
			}
			return baseSchema, nil
		},
		XParamaterize: func(ctx context.Context, request plugin.ParameterizeRequest) (plugin.ParameterizeResponse, error) {
			if parameterized {
				return plugin.ParameterizeResponse{}, fmt.Errorf("this plugin already is %s %s", shortSource, Version)
			}
			if err := accept(request.Parameters); err != nil {
				return plugin.ParameterizeResponse{}, err
			}
			info, err := Info(ctx)
			if err != nil {
				return plugin.ParameterizeResponse{}, err
			}
			if err := pf.XParameterizeResetProvider(ctx, info, metadata); err != nil {
				return plugin.ParameterizeResponse{}, err
			}
			parameterized = true
			return plugin.ParameterizeResponse{Name: info.Name, Version: semver.MustParse(Version)}, nil
		},
	}
	return metadata
}

// accept refuses every parameter but the one provider and version that this plugin is built from. The parameter comes as
// the arguments of `pulumi package add`, or as the value that a generated SDK holds.
func accept(parameters plugin.ParameterizeParameters) error {
	var name, version string
	switch given := parameters.(type) {
	case *plugin.ParameterizeArgs:
		if len(given.Args) == 0 || len(given.Args) > 2 {
			return refusal(strings.Join(given.Args, " "))
		}
		name = given.Args[0]
		if len(given.Args) == 2 {
			version = given.Args[1]
		}
	case *plugin.ParameterizeValue:
		value, err := parameterize.ParseValue(given.Value)
		if err != nil || value.Remote == nil ||
			len(value.Includes) > 0 || len(value.Excludes) > 0 || value.ProviderName != "" {
			return refusal(string(given.Value))
		}
		name, version = value.Remote.URL, value.Remote.Version
	default:
		return refusal(fmt.Sprintf("%T", parameters))
	}
	if (name != shortSource && name != source) || (version != "" && strings.TrimPrefix(version, "v") != Version) {
		return refusal(strings.TrimSpace(name + " " + version))
	}
	return nil
}

func refusal(asked string) error {
	return fmt.Errorf("terraform-provider: %q cannot be served: this build of the plugin bridges %s %s only; "+
		"for any other provider install the official plugin (`pulumi plugin install resource terraform-provider`)",
		asked, shortSource, Version)
}
