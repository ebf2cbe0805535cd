package neonhttp

import (
	"strings"
	"testing"
)

func TestAnswersGetWhatTheProviderTakesForGranted(t *testing.T) {
	t.Parallel()
	const list = `{"ips":[],"protected_branches_only":false}`
	for name, one := range map[string]struct {
		route string
		has   object
		want  string
	}{
		"settings without a list": {"/projects/p-1", object{"project": object{"settings": object{"quota": nil}}}, `"allowed_ips":` + list},
		"settings with one":       {"/projects/p-1", object{"project": object{"settings": object{"allowed_ips": object{"ips": []string{"::1"}}}}}, `"allowed_ips":{"ips":["::1"]}`},
		"no settings":             {"/projects/p-1", object{"project": object{"id": "x"}}, `{"project":{"id":"x"}}`},
		"default alone":           {"/projects/p-1/branches/b", object{"branch": object{"default": true}}, `"primary":true`},
		"primary alone":           {"/projects/p-1/branches/b", object{"branch": object{"primary": true}}, `"default":true`},
		"both":                    {"/projects/p-1/branches/b", object{"branch": object{"default": true, "primary": false}}, `"primary":false`},
		"branches":                {"/projects/p-1/branches", object{"branches": []object{{"default": true}, {"default": false}}}, `{"default":true,"primary":true},{"default":false,"primary":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.inside[one.route] = one.has
			body, err := send(t, c.client(testSettings(t)), Run{}, "GET", one.route, "")
			if err != nil || !strings.Contains(body, one.want) {
				t.Errorf("%v %s", err, body)
			}
		})
	}
}

func TestTheBranchesOfAllPagesAreRead(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	route := "/projects/p-1/branches"
	c.inside[route] = object{"branches": []object{{"id": "a"}}, "pagination": object{"next": "2"}}
	asked := 0
	c.trouble("GET "+route, trouble{do: func() {}}, trouble{do: func() { asked++ }}, trouble{do: func() {
		c.inside[route] = object{"branches": []object{{"id": "b", "default": true}}, "pagination": object{}}
	}})
	body, err := send(t, c.client(testSettings(t)), Run{}, "GET", route, "")
	if err != nil || !strings.Contains(body, `"id":"a"`) || !strings.Contains(body, `"id":"b"`) || asked != 1 {
		t.Errorf("%v %s", err, body)
	}
}
