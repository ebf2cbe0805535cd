package resident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
)

// project makes a folder with a project, and a folder for its states, and goes there.
func project(t *testing.T) (states string) {
	t.Helper()
	folder := t.TempDir()
	states = t.TempDir()
	t.Chdir(folder)
	t.Setenv("PULUMI_HOME", t.TempDir())
	t.Setenv("PULUMI_BACKEND_URL", "file://"+states)
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "of a test")
	cmdutil.DisableInteractive = true
	for name, text := range map[string]string{
		"Pulumi.yaml": "name: tenantry\nruntime: python\n",
		"empty.yaml":  "{}\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return states
}

// ask serves the requests and returns the answers by their ids.
func ask(t *testing.T, requests ...Request) map[int]Answer {
	t.Helper()
	var lines, answers bytes.Buffer
	for number, request := range requests {
		request.ID, request.Settings = number, "empty.yaml"
		line, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := New(nil).Serve(t.Context(), &lines, &answers); err != nil {
		t.Fatal(err)
	}
	found := map[int]Answer{}
	for decoder := json.NewDecoder(&answers); decoder.More(); {
		var answer Answer
		if err := decoder.Decode(&answer); err != nil {
			t.Fatal(err)
		}
		found[answer.ID] = answer
	}
	if len(found) != len(requests) {
		t.Fatalf("%d answers to %d requests: %v", len(found), len(requests), found)
	}
	return found
}

func TestStacksAreMadeAtOnceAndShareASalt(t *testing.T) {
	states := project(t)
	var requests []Request
	for number := range 8 {
		requests = append(requests, Request{Operation: Create, Stack: fmt.Sprintf("acme--app%d", number)})
	}
	for _, answer := range ask(t, requests...) {
		if answer.Code != 0 {
			t.Error(answer.Said)
		}
	}
	salts := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(states, ".pulumi/stacks/tenantry/*.json"))
	if err != nil || len(files) != len(requests) {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(content), `"salt":"`)
		if !found {
			t.Fatal(string(content))
		}
		salt, _, _ := strings.Cut(after, `"`)
		salts[salt] = true
	}
	if len(salts) != 1 {
		t.Error(salts)
	}
	if left, _ := filepath.Glob(filepath.Join(states, ".pulumi/locks/*/*/*/*.json")); len(left) != 0 {
		t.Error("locks are left:", left)
	}
}

func TestAStackThatIsThereIsASuccess(t *testing.T) {
	project(t)
	for range 2 {
		if answer := ask(t, Request{Operation: Create, Stack: "acme--web"})[0]; answer.Code != 0 {
			t.Error(answer.Said)
		}
	}
}

func TestAFailureIsSaidAsTheCommandSaysIt(t *testing.T) {
	project(t)
	answers := ask(t, Request{Operation: Up, Stack: "missing"}, Request{Operation: Create, Stack: "no/such/name/at all"})
	if answers[0].Code == 0 || !strings.HasPrefix(answers[0].Said, "error: no stack named 'missing' found") {
		t.Error(answers[0])
	}
	if answers[1].Code == 0 || !strings.HasPrefix(answers[1].Said, "error: ") {
		t.Error(answers[1])
	}
}

func TestAPassphraseThatIsMissingIsSaid(t *testing.T) {
	project(t)
	if err := os.Unsetenv("PULUMI_CONFIG_PASSPHRASE"); err != nil {
		t.Fatal(err)
	}
	answer := ask(t, Request{Operation: Create, Stack: "acme--web"})[0]
	if answer.Code == 0 || !strings.Contains(answer.Said, "passphrase must be set with PULUMI_CONFIG_PASSPHRASE") {
		t.Error(answer)
	}
}

func TestARequestThatCannotBeReadEndsTheServer(t *testing.T) {
	project(t)
	if err := New(nil).Serve(t.Context(), strings.NewReader("{\n"), &bytes.Buffer{}); err == nil {
		t.Error("it went on")
	}
}

func TestStopsReachWhatRunsAndWhatBeginsLater(t *testing.T) {
	all := newStops()
	before := all.NewScope(t.Context(), nil, false)
	if before.Context().CancelErr() != nil {
		t.Error("it is stopped before anybody asked")
	}
	all.stop()
	after := all.NewScope(t.Context(), nil, false)
	if before.Context().CancelErr() == nil || after.Context().CancelErr() == nil {
		t.Error("the first stop did not cancel")
	}
	if before.Context().TerminateErr() != nil {
		t.Error("the first stop ends at once")
	}
	all.stop()
	if before.Context().TerminateErr() == nil || after.Context().TerminateErr() == nil {
		t.Error("the second stop did not end at once")
	}
	before.Close()
	after.Close()
	if len(all.open) != 0 {
		t.Error("a scope that was closed is still known")
	}
}
