package neonhttp

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestAsMuchAsAMachineMay asks a Neon API for as much as it may, for so many seconds. tests/engine/test_shared_budget.py has
// two machines do so at once.
func TestAsMuchAsAMachineMay(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("TENANTRY_TEST_SECONDS"))
	if err != nil {
		t.Skip("TENANTRY_TEST_SECONDS is not set")
	}
	key := os.Getenv("NEON_API_KEY")
	settings, err := ReadSettings(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	// A 429 is an answer here.
	settings.RetryFor = 0
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range 32 {
		// As each stack has one.
		client, err := New(Options{BaseURL: os.Getenv("NEON_API_URL"), Key: key}, settings)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for ctx.Err() == nil {
				asked := request(t, "GET", PublicURL+"/projects?limit=1&org_id="+os.Getenv("NEON_ORG_ID"), "")
				asked.Header.Set("Authorization", "Bearer "+key)
				if _, err := client.For(ctx, Run{}).Do(asked); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
