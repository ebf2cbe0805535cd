package withheld

import (
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
)

const canary = "canary-4b1f"

// logged returns what is logged to standard error at a verbosity while a function runs.
func logged(t *testing.T, verbosity int, run func()) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	os.Stderr = write
	logging.InitLogging(true, verbosity, false)
	said := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(read)
		said <- all
	}()
	run()
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	return string(<-said)
}

// travel sends a secret where the engine and a plugin log it.
func travel(t *testing.T) {
	t.Helper()
	props := resource.PropertyMap{
		"marked":   resource.MakeSecret(resource.NewProperty(canary)),
		"unmarked": resource.NewProperty(canary),
	}
	sent, err := plugin.MarshalProperties(props, plugin.MarshalOptions{Label: "there", KeepSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plugin.UnmarshalProperties(sent, plugin.MarshalOptions{Label: "back", KeepSecrets: true}); err != nil {
		t.Fatal(err)
	}
	text := (&schema.Schema{Type: shim.TypeString, Optional: true}).Shim()
	inputs := resource.PropertyMap{"password": resource.NewProperty(canary)}
	_, _, err = tfbridge.MakeTerraformInputs(t.Context(),
		&tfbridge.PulumiResource{URN: "urn:pulumi:s::p::t:t:t::n", Properties: inputs}, nil, nil, inputs,
		schema.SchemaMap{"password": text}, map[string]*tfbridge.SchemaInfo{})
	if err != nil {
		t.Fatal(err)
	}
}

// Upstream's own messages must be those that are replaced: this test fails where an update words them anew.
func TestNoValueIsLogged(t *testing.T) {
	if clear := logged(t, 11, func() { travel(t) }); !strings.Contains(clear, canary) {
		t.Fatal("nothing logs the value any more: is this package still needed?")
	}
	FromLogs()
	said := logged(t, 11, func() { travel(t) })
	for line := range strings.Lines(said) {
		if strings.Contains(line, canary) {
			t.Error(line)
		}
	}
	for _, expected := range []string{
		"Marshaling property for RPC[there]: marked (withheld)",
		"Unmarshaling property for RPC[back]: marked (withheld)",
		"Terraform input password (withheld)",
	} {
		if !strings.Contains(said, expected) {
			t.Errorf("not logged: %s", expected)
		}
	}
	if strings.Contains(said, "%!") {
		t.Errorf("a format and its arguments disagree:\n%s", said)
	}
}

func TestAPluginHasNoWayToATrace(t *testing.T) {
	cases := map[string][]string{
		"-tracing http://x 127.0.0.1:1":            {"127.0.0.1:1"},
		"--tracing=http://x 127.0.0.1:1":           {"127.0.0.1:1"},
		"-v=9 -logtostderr -tracing x 127.0.0.1:1": {"-v=9", "-logtostderr", "127.0.0.1:1"},
		"-tracing": nil,
		"tracing --logtostderr 127.0.0.1:1 -tracing": {"tracing", "--logtostderr", "127.0.0.1:1"},
	}
	for given, expected := range cases {
		if left := untraced(strings.Fields(given)); !reflect.DeepEqual(left, expected) {
			t.Errorf("%s: %q, expected %q", given, left, expected)
		}
	}
}
