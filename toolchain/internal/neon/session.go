package neon

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"

	"tenantry.dev/toolchain/internal/neonhttp"
)

// interrupted ends what this process is waiting for.
var interrupted, interrupt = context.WithCancelCause(context.Background())

// Interrupt ends all waiting: pauses, polling, look-ups. A request that changes something is still answered, so that
// nothing is lost by it. The engine asks for it when the operator presses Ctrl-C.
func Interrupt() { interrupt(errors.New("the run was cancelled")) }

// underWay counts the operations of this process.
var underWay sync.WaitGroup

// Finish waits until no operation is under way. After Interrupt that takes as long as one answer may at most.
func Finish() { underWay.Wait() }

// session is what configure leaves for the operations: the key and the layers that all requests of this process share.
type session struct {
	mu     sync.Mutex
	key    string
	client *neonhttp.Client
}

func (s *session) open(key string, client *neonhttp.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.client = key, client
}

// operation gives one operation of the provider a client that is bound to its context, so that it ends with the engine,
// and that knows what of the resource changes. It returns what the requests had to say, and what frees the context.
func (s *session) operation(ctx context.Context, d *schema.ResourceData, meta any) (any, func() diag.Diagnostics) {
	s.mu.Lock()
	key, client := s.key, s.client
	s.mu.Unlock()
	if client == nil {
		return meta, func() diag.Diagnostics { return nil }
	}
	underWay.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(interrupted, cancel)
	var warnings diag.Diagnostics
	bound, err := sdk.NewClient(sdk.Config{Key: key, HTTPClient: client.For(ctx, neonhttp.Run{
		Changed: d.HasChange,
		Warn: func(text string) {
			warnings = append(warnings, diag.Diagnostic{Severity: diag.Warning, Summary: text})
		},
	})})
	end := func() diag.Diagnostics {
		stop()
		cancel()
		underWay.Done()
		return warnings
	}
	if err != nil {
		// Only without a key, which configure has refused.
		return meta, end
	}
	return bound, end
}

// within runs an operation in the session, and makes of what it cannot bear an error of one line. inURL are attributes of
// this resource, apart from ids, that upstream puts into URLs.
func within[F operation](s *session, do F, inURL ...string) F {
	return func(ctx context.Context, d *schema.ResourceData, meta any) (diags diag.Diagnostics) {
		if err := oddIDs(d, inURL); err != nil {
			return diag.FromErr(err)
		}
		bound, end := s.operation(ctx, d, meta)
		defer func() {
			diags = append(diags, crash(recover())...)
			diags = append(diags, end()...)
		}()
		return do(ctx, d, bound)
	}
}

// importing does the same for an import.
func importing(s *session, do schema.StateContextFunc) schema.StateContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) (found []*schema.ResourceData, err error) {
		if err := oddIDs(d, nil); err != nil {
			return nil, err
		}
		bound, end := s.operation(ctx, d, meta)
		defer func() {
			if broken := crash(recover()); broken.HasError() {
				found, err = nil, errors.New(broken[0].Summary)
			}
			end()
		}()
		return do(ctx, d, bound)
	}
}

// crash makes an error of a panic: upstream indexes lists that it expects to be filled. The plugin goes on, since other
// operations are under way in it.
func crash(cause any) diag.Diagnostics {
	if cause == nil {
		return nil
	}
	what := "an unexpected fault"
	var fault runtime.Error
	if err, ok := cause.(error); ok && errors.As(err, &fault) {
		what = fault.Error()
	}
	return diag.FromErr(fmt.Errorf("kislerdm/neon %s cannot bear what the Neon API answered (%s): "+
		"look in Neon whether the default branch has an enabled compute and a database, then tenantry up", Version, what))
}

// oddIDs refuses what upstream puts into a URL unescaped: with such a character it would ask for another object, or crash.
func oddIDs(d *schema.ResourceData, inURL []string) error {
	odd := func(attribute, value, refused string) error {
		for _, r := range value {
			if r < ' ' || r == 0x7f || strings.ContainsRune(refused, r) {
				return fmt.Errorf("%s %q holds %q, which the Neon provider cannot put into a request: correct it", attribute, value, r)
			}
		}
		return nil
	}
	for _, attribute := range append([]string{"project_id", "branch_id", "endpoint_id", "org_id", "vpc_endpoint_id", "role_name"}, inURL...) {
		if err := odd(attribute, text(d, attribute), "?#%/"); err != nil {
			return err
		}
	}
	// The ids of roles and databases are made of three parts.
	return odd("id", d.Id(), "?#%")
}
