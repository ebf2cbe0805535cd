package resident

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"github.com/pulumi/pulumi/pkg/v3/backend"
	"github.com/pulumi/pulumi/pkg/v3/backend/backenderr"
	"github.com/pulumi/pulumi/pkg/v3/backend/display"
	"github.com/pulumi/pulumi/pkg/v3/backend/secrets"
	"github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/autonaming"
	cmdStack "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/stack"
	"github.com/pulumi/pulumi/pkg/v3/engine"
	managers "github.com/pulumi/pulumi/pkg/v3/secrets"
	pkgWorkspace "github.com/pulumi/pulumi/pkg/v3/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/env"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/result"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Operation is what is done to one stack. The names are those of tenantry/running/engine.py.
type Operation string

// What the engine does; all but the first three change nothing.
const (
	Create         Operation = "create"
	Up             Operation = "up"
	Destroy        Operation = "destroy"
	Preview        Operation = "preview"
	PreviewDestroy Operation = "preview destroy"
	Look           Operation = "look"
)

// Renew prolongs this process's lease. It is about no stack, and has no answer.
const Renew Operation = "renew"

// Request asks for one operation.
type Request struct {
	// ID is repeated in the answer.
	ID        int       `json:"id"`
	Operation Operation `json:"operation"`
	Stack     string    `json:"stack"`
	// Address is where the program, the dynamic providers and the listener to events are served.
	Address string `json:"address"`
	// Settings is the stack's file of settings; it is read only.
	Settings string `json:"settings"`
	// Parallel is how many resources are worked on at once; 0 for the engine's own default.
	Parallel int32 `json:"parallel"`
	// Message is what the history says of the run.
	Message string `json:"message"`
}

// do carries out one request. The error is what the pulumi command would have printed; it is empty where the events have told
// it already.
func (e *Engine) do(ctx context.Context, request Request) error {
	project, root, err := e.project(request.Address)
	if err != nil {
		return err
	}
	if request.Operation == Create {
		return e.create(ctx, project, root, request)
	}
	stack, err := e.stack(ctx, request.Stack)
	if err != nil {
		return err
	}
	operation, err := e.prepare(ctx, project, root, stack, request)
	if err != nil {
		return err
	}
	switch request.Operation {
	case Up:
		_, err = backend.UpdateStack(ctx, stack, operation, nil)
	case Destroy, PreviewDestroy:
		_, err = backend.DestroyStack(ctx, stack, operation)
	case Preview:
		_, _, err = backend.PreviewStack(ctx, stack, operation, nil)
	case Look:
		_, err = backend.RefreshStack(ctx, stack, operation)
	default:
		return fmt.Errorf("%q is no operation", request.Operation)
	}
	if errors.Is(err, context.Canceled) {
		return backenderr.CancelledError{Operation: string(request.Operation)}
	}
	if err == nil && request.Operation == Destroy {
		return remove(ctx, stack)
	}
	return err
}

// project reads Pulumi.yaml, whose program is served at the address.
func (e *Engine) project(address string) (*workspace.Project, string, error) {
	project, root, err := pkgWorkspace.Instance.ReadProject("")
	if err != nil {
		return nil, "", err
	}
	own := *project
	own.Runtime = workspace.NewProjectRuntimeInfo("client", map[string]any{"address": address})
	return &own, root, nil
}

func (e *Engine) stack(ctx context.Context, name string) (backend.Stack, error) {
	reference, err := e.backend.ParseStackReference(name)
	if err != nil {
		return nil, err
	}
	stack, err := e.backend.GetStack(ctx, reference)
	if err != nil {
		return nil, err
	}
	if stack == nil {
		return nil, backenderr.StackNotFoundError{StackName: name}
	}
	return stack, nil
}

// prepare puts together what the pulumi command puts together from its arguments and its environment.
func (e *Engine) prepare(
	ctx context.Context, project *workspace.Project, root string, stack backend.Stack, request Request,
) (backend.UpdateOperation, error) {
	configuration, manager, err := configured(ctx, project, stack, request.Settings)
	if err != nil {
		return backend.UpdateOperation{}, fmt.Errorf("getting stack configuration: %w", err)
	}
	if err := pkgWorkspace.ValidateStackConfigAndApplyProjectConfig(ctx, stack.Ref().Name().String(), project,
		configuration.Environment, configuration.Config, manager.Encrypter(), manager.Decrypter()); err != nil {
		return backend.UpdateOperation{}, fmt.Errorf("validating stack config: %w", err)
	}
	autonamer, err := autonaming.ParseAutonamingConfig(autonaming.StackContext{
		Organization: "organization",
		Project:      project.Name.String(),
		Stack:        stack.Ref().Name().String(),
	}, configuration.Config, manager.Decrypter())
	if err != nil {
		return backend.UpdateOperation{}, fmt.Errorf("getting autonaming config: %w", err)
	}
	metadata, err := e.metadata(root, configuration)
	if err != nil {
		return backend.UpdateOperation{}, fmt.Errorf("gathering environment metadata: %w", err)
	}
	parallel := request.Parallel
	if parallel == 0 {
		parallel = e.parallel
	}
	changing := request.Operation == Up || request.Operation == Destroy
	return backend.UpdateOperation{
		Proj: project,
		Root: root,
		M:    &backend.UpdateMetadata{Message: request.Message, Environment: maps.Clone(metadata)},
		Opts: backend.UpdateOptions{
			AutoApprove: changing,
			SkipPreview: changing,
			PreviewOnly: !changing && request.Operation != Preview,
			Display:     quiet(request.Address),
			Engine: engine.UpdateOptions{
				ParallelDiff:              env.ParallelDiff.Value(),
				Parallel:                  parallel,
				Refresh:                   project.Options != nil && project.Options.Refresh == "always" && request.Operation != Look,
				DestroyProgram:            request.Operation == Destroy || request.Operation == PreviewDestroy,
				UseLegacyDiff:             env.EnableLegacyDiff.Value(),
				UseLegacyRefreshDiff:      env.EnableLegacyRefreshDiff.Value(),
				DisableProviderPreview:    env.DisableProviderPreview.Value(),
				DisableResourceReferences: env.DisableResourceReferences.Value(),
				DisableOutputValues:       env.DisableOutputValues.Value(),
				Experimental:              env.Experimental.Value(),
				ExecKind:                  execKind,
				Autonamer:                 autonamer,
				HostFactory:               e.hosts(request.Address),
				// What the program needs is in this process, or installed already.
				SkipPluginPreInstall: true,
			},
		},
		StackConfiguration: configuration,
		SecretsManager:     manager,
		SecretsProvider:    secrets.DefaultProvider,
		Scopes:             e.stops,
	}, nil
}

// configured reads the stack's settings, and finds the key of its secrets. Where the settings do not name it, it is the one
// that the state was written with.
func configured(
	ctx context.Context, project *workspace.Project, stack backend.Stack, file string,
) (backend.StackConfiguration, managers.Manager, error) {
	settings, err := cmdStack.LoadProjectStack(ctx, cmdutil.Diag(), project, stack, file)
	if err != nil {
		return backend.StackConfiguration{}, nil, err
	}
	loader := cmdStack.SecretsManagerLoader{FallbackToState: true}
	manager, _, err := loader.GetSecretsManager(ctx, stack, settings)
	if err != nil {
		return backend.StackConfiguration{}, nil, fmt.Errorf("get stack secrets manager: %w", err)
	}
	decrypter := manager.Decrypter()
	if !settings.Config.HasSecureValue() {
		decrypter = config.NewPanicCrypter()
	}
	return backend.StackConfiguration{Config: settings.Config, Decrypter: decrypter}, manager, nil
}

// remove removes a stack that holds nothing any more, and its file of settings.
func remove(ctx context.Context, stack backend.Stack) error {
	if _, err := backend.RemoveStack(ctx, stack, false, false); err != nil {
		return err
	}
	_, file, err := workspace.DetectProjectStackPath(stack.Ref().Name().Q())
	if err != nil {
		return nil //nolint:nilerr // There is no such file.
	}
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// quiet tells the events to a listener, and nothing to the terminal.
func quiet(listener string) display.Options {
	return display.Options{
		Color:             colors.Never,
		Type:              display.DisplayProgress,
		SuppressOutputs:   true,
		SuppressProgress:  true,
		SuppressPermalink: true,
		EventLogPath:      "tcp://" + listener,
		Stdout:            io.Discard,
		Stderr:            io.Discard,
	}
}

// words are what the pulumi command would print; nothing where the events have told it.
func words(err error) string {
	if err == nil || result.IsBail(err) {
		return ""
	}
	return "error: " + err.Error()
}
