// Package resident is the engine in one process for many stacks.
//
// The pulumi command takes 0.2 s of CPU to start and 0.2 s to derive the key of a stack's secrets, and starts a process for
// each plugin, for each stack anew. Here one process does what the command does (up, destroy, preview, refresh, stack init) for
// as many stacks at once as it is asked to, with the packages that the command consists of, and with the plugins in it. States,
// locks and history are written by the same code, and read by the command as by this.
package resident

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/spf13/pflag"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/backend/display"
	cmdBackend "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/backend"
	"github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/metadata"
	pkgWorkspace "github.com/pulumi/pulumi/pkg/v3/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"

	"tenantry.dev/toolchain/internal/lease"
)

// execKind is what the history says of how a run was started: as the Automation API does it.
const execKind = "auto.inline"

// actorVariable says who is behind the runs; the history notes it as it does --exec-agent (tenantry/running/actor.py).
const actorVariable = "TENANTRY_ACTOR"

// perCore is the engine's own default of resources that are worked on at once.
const perCore = 4

// Engine does operations on the stacks of one project, in one backend.
type Engine struct {
	plugins  map[string]Plugin
	parallel int32
	stops    *stops
	running  sync.WaitGroup

	opening sync.Mutex
	backend backend.Backend

	describing  sync.Mutex
	environment map[string]string

	creating sync.Mutex
	salt     string
}

// New makes an engine for the project in the current folder. It opens the backend with the first request.
func New(plugins map[string]Plugin) *Engine {
	return &Engine{plugins: plugins, parallel: int32(runtime.GOMAXPROCS(0) * perCore), stops: newStops()} //nolint:gosec
}

// Answer says how an operation ended.
type Answer struct {
	ID   int `json:"id"`
	Code int `json:"code"`
	// Said is what the pulumi command would have printed.
	Said string `json:"said"`
}

// failed is the exit code of the pulumi command for every failure.
const failed = 255

// Stop ends what runs after its current steps, and at once with the second call. What is asked for later is ended as well.
func (e *Engine) Stop() { e.stops.stop() }

// Serve takes requests, one JSON object a line, and answers each in its own time. It returns once there are no more requests and
// none is under way. Whoever asks has died when the requests end in the middle of one: what is under way is then stopped.
func (e *Engine) Serve(ctx context.Context, requests io.Reader, answers io.Writer) error {
	var writing sync.Mutex
	encoder := json.NewEncoder(answers)
	lines := bufio.NewScanner(requests)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request Request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("a request cannot be read: %w", err)
		}
		if request.Operation == Renew {
			lease.Own.Renew()
			continue
		}
		e.running.Add(1)
		go func() {
			defer e.running.Done()
			answer := Answer{ID: request.ID}
			if err := e.begin(ctx, request); err != nil {
				answer.Code, answer.Said = failed, words(err)
			}
			writing.Lock()
			defer writing.Unlock()
			// Nobody may be there to read it.
			_ = encoder.Encode(answer)
		}()
	}
	e.Stop()
	e.running.Wait()
	return lines.Err()
}

func (e *Engine) begin(ctx context.Context, request Request) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	return e.do(ctx, request)
}

// open finds the backend as the pulumi command does, once: a failure is tried again with the next request.
func (e *Engine) open(ctx context.Context) error {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.backend != nil {
		return nil
	}
	project, _, err := pkgWorkspace.Instance.ReadProject("")
	if err != nil {
		return err
	}
	defer widePools()()
	e.backend, err = cmdBackend.CurrentBackend(ctx, pkgWorkspace.Instance, cmdBackend.DefaultLoginManager, project,
		display.Options{Color: colors.Never})
	return err
}

// widest is half of how many connections a backend in PostgreSQL may have, and all that stay open between two uses. They are
// made as they are needed.
const widest = 32

// widePools makes backends that are opened from now on have many connections, until the function that it returns is called.
//
// A backend in PostgreSQL has two for each processor. While it lists keys it holds one and asks for a second (pulumi 3,
// pkg/backend/diy/postgres/bucket.go, ListPaged): as many lists at once as there are connections wait for each other for ever.
// Nothing but the number of processors says how many there are.
func widePools() func() {
	before := runtime.GOMAXPROCS(0)
	if before >= widest {
		return func() {}
	}
	runtime.GOMAXPROCS(widest)
	return func() { runtime.GOMAXPROCS(before) }
}

// metadata describes this machine and the repository for the history of a stack; it is gathered once.
func (e *Engine) metadata(root string, configuration backend.StackConfiguration) (map[string]string, error) {
	e.describing.Lock()
	defer e.describing.Unlock()
	if e.environment == nil {
		found, err := metadata.GetUpdateMetadata("", root, execKind, os.Getenv(actorVariable), false, configuration, &pflag.FlagSet{})
		if err != nil {
			return nil, err
		}
		e.environment = found.Environment
	}
	return e.environment, nil
}
