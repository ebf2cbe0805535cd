package neonhttp

import (
	"slices"
	"strings"
	"testing"
)

func TestAPatchSaysOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	const window = `"maintenance_window":{"weekdays":[1],"start_time":"05:00","end_time":"06:00"}`
	for name, one := range map[string]struct {
		changed    []string
		sent, want string
	}{
		"nothing of the settings": {nil, `{"project":{"name":"b","settings":{"allowed_ips":{},` + window + `}}}`, `{"project":{"name":"b"}}`},
		"the window": {
			[]string{"maintenance_window"}, `{"project":{"settings":{"allowed_ips":{},` + window + `}}}`,
			`{"project":{"settings":{` + window + `}}}`,
		},
		"the list goes": {
			[]string{"allowed_ips"}, `{"project":{"settings":{"allowed_ips":{},` + window + `}}}`,
			`{"project":{"settings":{"allowed_ips":{"ips":[]}}}}`,
		},
		"the list": {
			[]string{"allowed_ips"}, `{"project":{"settings":{"allowed_ips":{"ips":["203.0.113.1"]},"quota":{}}}}`,
			`{"project":{"settings":{"allowed_ips":{"ips":["203.0.113.1"]},"quota":{}}}}`,
		},
		"a limit is lifted": {
			[]string{"quota"}, `{"project":{"settings":{"quota":{"logical_size_bytes":5}}}}`,
			`{"project":{"settings":{"quota":{"active_time_seconds":0,"compute_time_seconds":0,"data_transfer_bytes":0,` +
				`"logical_size_bytes":5,"written_data_bytes":0}}}}`,
		},
		"one of the switches": {
			[]string{"block_public_connections"},
			`{"project":{"settings":{"block_public_connections":false,"block_vpc_connections":true,"enable_logical_replication":true}}}`,
			`{"project":{"settings":{"block_public_connections":false}}}`,
		},
		"no settings": {nil, `{"project":{"name":"b"}}`, `{"project":{"name":"b"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			run := Run{Changed: func(attribute string) bool { return slices.Contains(one.changed, attribute) }}
			if _, err := send(t, c.client(testSettings(t)), run, "PATCH", "/projects/p-1", one.sent); err != nil {
				t.Fatal(err)
			}
			if got := c.bodies["PATCH /projects/p-1"]; got[0] != one.want {
				t.Errorf("sent %s", got)
			}
		})
	}
}

func TestWhereChangesAreNotKnownAPatchStays(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	const body = `{"project":{"settings":{"allowed_ips":{},"maintenance_window":{}}}}`
	if _, err := send(t, c.client(testSettings(t)), Run{}, "PATCH", "/projects/p-1", body); err != nil || c.bodies["PATCH /projects/p-1"][0] != body {
		t.Errorf("%v %v", err, c.bodies)
	}
}

func TestAPatchOfNothingIsARead(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.inside["/projects/p-1"] = object{"project": object{"id": "p-1"}}
	run := Run{Changed: func(string) bool { return false }}
	body, err := send(t, c.client(testSettings(t)), run, "PATCH", "/projects/p-1", `{"project":{"settings":{"allowed_ips":{}}}}`)
	if err != nil || strings.TrimSpace(body) != `{"project":{"id":"p-1"}}` || c.count("PATCH /projects/p-1") != 0 {
		t.Errorf("%v %s", err, body)
	}
}
