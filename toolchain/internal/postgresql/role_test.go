package postgresql

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/terraform"
	upstream "github.com/terraform-providers/terraform-provider-postgresql/postgresql"
)

func TestTimeoutStatement(t *testing.T) {
	t.Parallel()
	if got, want := timeoutStatement("a", idleTimeout, 10), `ALTER ROLE "a" SET idle_in_transaction_session_timeout TO 10`; got != want {
		t.Error(got)
	}
	if got, want := timeoutStatement("a", idleTimeout, 0), `ALTER ROLE "a" RESET idle_in_transaction_session_timeout`; got != want {
		t.Error(got)
	}
}

// handmade are settings as a login may write them for itself, and what they read as.
var handmade = map[string]struct {
	statement string
	attribute string
	want      any
}{
	"hours":                    {"SET statement_timeout TO '1h'", statementTimeout, 3_600_000},
	"spaces":                   {"SET statement_timeout TO ' 90 s '", statementTimeout, 90_000},
	"zero":                     {"SET statement_timeout TO 0", statementTimeout, 0},
	"none":                     {"RESET statement_timeout", statementTimeout, 0},
	"idle fraction":            {"SET idle_in_transaction_session_timeout TO '1.5min'", idleTimeout, 90_000},
	"$user":                    {`SET search_path TO "$user", public`, searchPath, []any{"$user", "public"}},
	"quotes, a comma, a space": {`SET search_path TO "a""b", "c, d"`, searchPath, []any{`a"b`, "c, d"}},
	"backslash":                {`SET search_path TO 'a\b'`, searchPath, []any{`a\b`}},
	"empty":                    {"SET search_path TO ''", searchPath, []any{""}},
	"no path":                  {"RESET search_path", searchPath, []any{}},
	"another setting":          {`SET application_name TO 'a\b'`, statementTimeout, 30_000},
}

func TestAHandmadeSettingIsReadAndRepaired(t *testing.T) {
	s := connect(t)
	declared := map[string]any{
		"name": "handmade" + s.suffix, "skip_reassign_owned": true, "login": true, "password": "of a test",
		"search_path": []any{"app", "public"}, statementTimeout: 30_000, idleTimeout: 10_000,
	}
	role := s.create(t, "postgresql_role", declared)
	r := s.provider.ResourcesMap["postgresql_role"]
	for name, c := range handmade {
		t.Run(name, func(t *testing.T) {
			s.exec(t, "", "ALTER ROLE "+role.Id()+" "+c.statement)
			s.read(t, "postgresql_role", role)
			if got := role.Get(c.attribute); !same(got, c.want) {
				t.Fatalf("%s reads as %#v", c.attribute, got)
			}
			planned := planned(t, s, role, declared)
			if err := r.Update(planned, s.provider.Meta()); err != nil {
				t.Fatal(err)
			}
			s.read(t, "postgresql_role", role)
			for _, attribute := range []string{searchPath, statementTimeout, idleTimeout} {
				if got := role.Get(attribute); !same(got, declared[attribute]) {
					t.Errorf("%s is repaired to %#v", attribute, got)
				}
			}
		})
	}
}

func TestAnUpdateOfSomethingElseBearsHandmadeSettings(t *testing.T) {
	s := connect(t)
	declared := map[string]any{"name": "bears" + s.suffix, "skip_reassign_owned": true, statementTimeout: 30_000}
	role := s.create(t, "postgresql_role", declared)
	s.exec(t, "", "ALTER ROLE "+role.Id()+" SET statement_timeout TO '1h'")
	s.exec(t, "", "ALTER ROLE "+role.Id()+` SET application_name TO 'a\b'`)
	declared["connection_limit"] = 7
	planned := planned(t, s, role, declared)
	if err := s.provider.ResourcesMap["postgresql_role"].Update(planned, s.provider.Meta()); err != nil {
		t.Fatal(err)
	}
	if got := planned.Get("connection_limit").(int); got != 7 {
		t.Errorf("the connection limit is %d", got)
	}
	if got := planned.Get(statementTimeout).(int); got != 3_600_000 {
		t.Errorf("the timeout that stands reads as %d ms", got)
	}
}

func TestEveryAttributeIsReadAsUpstreamReadsIt(t *testing.T) {
	s := connect(t)
	group := s.create(t, "postgresql_role", map[string]any{"name": "of" + s.suffix, "skip_reassign_owned": true})
	role := s.create(t, "postgresql_role", map[string]any{
		"name": "attributes" + s.suffix, "skip_reassign_owned": true, "login": true, "password": "of a test",
		"inherit": false, "create_database": true, "create_role": true, "connection_limit": 3, "roles": []any{group.Id()},
		"valid_until": "2040-01-02 00:00:00+00", "search_path": []any{"app"}, statementTimeout: 5,
	})
	resource := upstream.Provider().(*schema.Provider).ResourcesMap["postgresql_role"]
	theirs, ours := resource.Data(role.State()), s.provider.ResourcesMap["postgresql_role"].Data(role.State())
	for attribute := range resource.Schema {
		if attribute == "password" {
			continue
		}
		for _, d := range []*schema.ResourceData{theirs, ours} {
			_ = d.Set(attribute, nil)
		}
	}
	if err := resource.Read(theirs, s.provider.Meta()); err != nil {
		t.Fatal(err)
	}
	if err := readRole(ours, s.provider.Meta()); err != nil {
		t.Fatal(err)
	}
	for attribute := range resource.Schema {
		if want, got := theirs.Get(attribute), ours.Get(attribute); !same(got, want) {
			t.Errorf("%s reads as %#v, not %#v", attribute, got, want)
		}
	}
}

func TestARoleThatIsGoneHasNoID(t *testing.T) {
	s := connect(t)
	role := s.provider.ResourcesMap["postgresql_role"].Data(nil)
	role.SetId("never" + s.suffix)
	if err := readRole(role, s.provider.Meta()); err != nil || role.Id() != "" {
		t.Errorf("%q, %v", role.Id(), err)
	}
}

// planned is the update that brings a role to what is declared.
func planned(t *testing.T, s *server, role *schema.ResourceData, declared map[string]any) *schema.ResourceData {
	t.Helper()
	r := s.provider.ResourcesMap["postgresql_role"]
	diff, err := r.Diff(role.State(), terraform.NewResourceConfigRaw(declared), s.provider.Meta())
	if err != nil {
		t.Fatal(err)
	}
	d, err := schema.InternalMap(r.Schema).Data(role.State(), diff)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func same(a, b any) bool {
	if set, ok := a.(*schema.Set); ok {
		return set.Equal(b)
	}
	return reflect.DeepEqual(a, b)
}
