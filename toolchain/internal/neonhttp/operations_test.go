package neonhttp

import (
	"strings"
	"testing"
	"time"
)

func TestAnswersComeWhenTheirOperationsHaveEnded(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.begins = "running"
	c.finishAfter(4, "finished", "")
	body, _, err := create(t, c, testSettings(t))
	if err != nil || !strings.Contains(body, `"status":"finished"`) || strings.Contains(body, "running") {
		t.Errorf("%v %s", err, body)
	}
	// The 3.1 seconds that the operation takes on Neon, and a little more.
	if c.clock.total() != 3255*time.Millisecond {
		t.Errorf("paused %v", c.clock.slept)
	}
	if c.count("GET /projects/p-1/operations") != 4 {
		t.Errorf("asked %v", c.asked)
	}
}

func TestAFailedOperationIsAnErrorAndTheNextRunTakesTheProjectOver(t *testing.T) {
	t.Parallel()
	for status, said := range map[string]string{"failed": "failed", "error": "failed", "cancelled": "was cancelled"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			c, settings := newCloud(t), testSettings(t)
			c.begins = "running"
			c.finishAfter(1, status, "no room in\nthe region")
			c.trouble(createRoute, trouble{after: true, do: func() {}})
			_, _, err := create(t, c, settings)
			want := "POST /projects: operation op-2 (create_timeline) of project p-1 " + said + ": no room in the region: what was made stays, and tenantry up goes on with it"
			if err == nil || err.Error() != want {
				t.Fatalf("%v", err)
			}
			c.operations["p-1"][0]["status"] = "finished"
			body, _, err := create(t, c, settings)
			if err != nil || projectIn(t, body) != "p-1" || len(c.projects) != 1 {
				t.Errorf("%v %v", err, c.projects)
			}
		})
	}
}

func TestAnOperationThatNeverEndsMeetsTheDeadline(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.begins = "running"
	_, _, err := create(t, c, settings)
	if err == nil || !strings.Contains(err.Error(), "operation op-2 (create_timeline) of project p-1 has not ended within 10m0s: NEON_OPERATION_SECONDS") {
		t.Errorf("%v", err)
	}
	if waited := c.clock.total(); waited < settings.OperationsFor || waited > settings.OperationsFor+2*settings.Poll {
		t.Errorf("waited %v", waited)
	}
}

func TestAnOperationThatTheListHasNotIsAskedForByItself(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.begins = "running"
	c.clock.during = func(time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.operations["p-1"] = nil
		c.inside["/projects/p-1/operations/op-2"] = object{"operation": object{"id": "op-2", "project_id": "p-1", "status": "finished"}}
	}
	if _, _, err := create(t, c, testSettings(t)); err != nil || c.count("GET /projects/p-1/operations/op-2") != 1 {
		t.Errorf("%v", err)
	}
}

func TestAChangeIsWaitedForToo(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.begins = "running"
	c.finishAfter(3, "finished", "")
	body, err := send(t, c.client(testSettings(t)), Run{}, "PATCH", "/projects/p-1/endpoints/ep-1", `{"endpoint":{}}`)
	if err != nil || !strings.Contains(body, "finished") || len(c.clock.slept) != 3 {
		t.Errorf("%v %s", err, body)
	}
}

func TestWhatWasLearntSparesLooks(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.begins = "running"
	took := 7 * time.Second
	begin := func() func() {
		from := c.clock.now()
		c.clock.during = func(d time.Duration) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.clock.now().Add(d).Sub(from) < took {
				return
			}
			for _, o := range c.operations["p-1"] {
				o["status"], o["created_at"] = "finished", from.Format(time.RFC3339Nano)
				o["updated_at"] = from.Add(took).Format(time.RFC3339Nano)
			}
		}
		return func() {
			// Another process: with a client of its own.
			if _, err := send(t, c.client(settings), Run{}, "PATCH", "/projects/p-1/endpoints/ep-1", `{"endpoint":{}}`); err != nil {
				t.Error(err)
			}
		}
	}
	begin()()
	first := c.count("GET /projects/p-1/operations")
	begin()()
	if second := c.count("GET /projects/p-1/operations") - first; first < 5 || second != 1 {
		t.Errorf("%d looks, and then %d", first, second)
	}
	if last := c.clock.slept[len(c.clock.slept)-1]; last < took || last > took+time.Second {
		t.Errorf("waited %v", last)
	}
}

func TestTheLongestPauseIsASetting(t *testing.T) {
	t.Parallel()
	c, settings := newCloud(t), testSettings(t)
	c.begins = "running"
	settings.Poll, settings.OperationsFor = 200*time.Millisecond, 20*time.Second
	_, _, _ = create(t, c, settings)
	for _, each := range c.clock.slept {
		if each > settings.Poll {
			t.Errorf("paused %v", each)
		}
	}
}

func TestOneLooksEarlyAndTheOthersListen(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		learns bool
		looks  int
		after  time.Duration
	}{
		// The 1.5 seconds that this kind takes on Neon, and a little more.
		"to nobody":           {false, 1, 1575 * time.Millisecond},
		"to one that is done": {true, 1, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, settings := newCloud(t), testSettings(t)
			c.begins = "running"
			c.finishAfter(1, "finished", "")
			ledger, finish := newLedger(settings.AccountFolder, c.URL, "napi_test", c.clock), c.clock.during
			_ = ledger.change(func(a *account) {
				a.Scouted = map[string]time.Time{"apply_config": c.clock.now().Add(1500 * time.Millisecond)}
			})
			c.clock.during = func(d time.Duration) {
				finish(d)
				if one.learns {
					_ = ledger.change(func(a *account) { a.Usual = map[string]usual{"apply_config": {Mean: 0.9}} })
				}
			}
			_, err := send(t, c.client(settings), Run{}, "PATCH", "/projects/p-1/endpoints/ep-1", `{"endpoint":{}}`)
			if looks := c.count("GET /projects/p-1/operations"); err != nil || looks != one.looks || c.clock.total() != one.after {
				t.Errorf("%v, %d looks after %v", err, looks, c.clock.slept)
			}
		})
	}
}
