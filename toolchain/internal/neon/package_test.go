package neon

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"tenantry.dev/toolchain/internal/packageschema"
)

const official = `{"remote":{"url":"registry.opentofu.org/kislerdm/neon","version":"0.13.0"}}`

func TestTheOneParameterIsAccepted(t *testing.T) {
	t.Parallel()
	accepted := map[string]plugin.ParameterizeParameters{
		"value":             &plugin.ParameterizeValue{Name: "neon", Value: []byte(official)},
		"args":              &plugin.ParameterizeArgs{Args: []string{"kislerdm/neon", "0.13.0"}},
		"args, v":           &plugin.ParameterizeArgs{Args: []string{"kislerdm/neon", "v0.13.0"}},
		"args, any version": &plugin.ParameterizeArgs{Args: []string{"kislerdm/neon"}},
		"args, full name":   &plugin.ParameterizeArgs{Args: []string{"registry.opentofu.org/kislerdm/neon", "0.13.0"}},
	}
	for name, parameters := range accepted {
		if err := accept(parameters); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryOtherParameterIsRefused(t *testing.T) {
	t.Parallel()
	args := func(args ...string) plugin.ParameterizeParameters { return &plugin.ParameterizeArgs{Args: args} }
	value := func(v string) plugin.ParameterizeParameters { return &plugin.ParameterizeValue{Value: []byte(v)} }
	refused := map[string]plugin.ParameterizeParameters{
		"nothing": args(), "version": args("kislerdm/neon", "0.14.0"), "provider": args("hashicorp/aws"), "local": args("./x"),
		"filter": args("kislerdm/neon", "0.13.0", "--include", "neon_project"), "help": args("--help"),
		"value version": value(strings.Replace(official, "0.13.0", "0.12.0", 1)), "value": value(`{}`), "no value": value(""),
		"renamed": value(strings.Replace(official, `{"remote"`, `{"providerName":"x","remote"`, 1)),
		"path":    value(`{"local":{"path":"/x"}}`),
	}
	for name, parameters := range refused {
		err := accept(parameters)
		if err == nil || !strings.Contains(err.Error(), "kislerdm/neon 0.13.0 only") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePackageIsTheOfficialOne(t *testing.T) {
	t.Parallel()
	info, err := Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	data, err := packageschema.Generate(context.Background(), info)
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Name, Version    string
		Parameterization struct {
			BaseProvider struct{ Name, Version string }
			Parameter    []byte
		}
		Resources map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.Name != "neon" || spec.Version != Version || string(spec.Parameterization.Parameter) != official ||
		spec.Parameterization.BaseProvider.Name != BaseName || spec.Parameterization.BaseProvider.Version != BaseVersion {
		t.Errorf("%+v", spec.Parameterization)
	}
	for _, token := range []string{"project:Project", "branch:Branch", "endpoint:Endpoint", "role:Role", "database:Database"} {
		if _, ok := spec.Resources["neon:index/"+token]; !ok {
			t.Errorf("no resource %s", token)
		}
	}
	project := properties(t, data, "resources", "neon:index/project:Project", "properties")
	for _, name := range []string{"databasePassword", "connectionUri", "connectionUriPooler"} {
		if !project[name].Secret {
			t.Errorf("%s is not secret", name)
		}
	}
	if !properties(t, data, "config", "variables")["apiKey"].Secret {
		t.Error("apiKey is not secret")
	}
	again, err := packageschema.Generate(context.Background(), info)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(data) {
		t.Error("the schema differs from one run to the next")
	}
}
