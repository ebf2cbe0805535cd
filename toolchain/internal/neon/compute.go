package neon

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	sdk "github.com/kislerdm/neon-sdk-go"
)

const (
	settingsAttribute = "default_endpoint_settings"
	minimum           = "autoscaling_limit_min_cu"
	maximum           = "autoscaling_limit_max_cu"
	suspension        = "suspend_timeout_seconds"
	suspendNever      = -1
)

// size is what default_endpoint_settings says of a compute; nil where it says nothing.
type size struct {
	min, max *sdk.ComputeUnit
	suspend  *sdk.SuspendTimeoutSeconds
}

// withLiveCompute applies a project's default_endpoint_settings to its own compute as well. For Neon they are the
// defaults of computes made later, so that upstream would report a resize that did not happen. It also sends the
// suspension -1 (never), which upstream leaves out as it does each value that is not positive. A run that ends between
// the calls leaves an older size in the state, or in the live compute, from which it is read: the next one goes on.
func withLiveCompute[F operation](do F) F {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		wanted := settings(d)
		diags := do(ctx, d, meta)
		client, ok := meta.(*sdk.Client)
		if diags.HasError() || d.Id() == "" || !ok {
			return diags
		}
		if err := resize(client, d, wanted); err != nil {
			return append(diags, diag.FromErr(fmt.Errorf("compute of project %s: %w", d.Id(), err))...)
		}
		return append(diags, readLiveCompute(client, d)...)
	}
}

// withLiveComputeRead reads the size from the project's own compute, so that one resized by hand is seen.
func withLiveComputeRead(read schema.ReadContextFunc) schema.ReadContextFunc {
	return func(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
		diags := read(ctx, d, meta)
		client, ok := meta.(*sdk.Client)
		if diags.HasError() || d.Id() == "" || !ok {
			return diags
		}
		return append(diags, readLiveCompute(client, d)...)
	}
}

func settings(d *schema.ResourceData) size {
	values, _ := first(d)
	var wanted size
	if v, _ := values[minimum].(float64); v > 0 {
		cu := sdk.ComputeUnit(v)
		wanted.min = &cu
	}
	if v, _ := values[maximum].(float64); v > 0 {
		cu := sdk.ComputeUnit(v)
		wanted.max = &cu
	}
	if v, _ := values[suspension].(int); v != 0 {
		seconds := sdk.SuspendTimeoutSeconds(v)
		wanted.suspend = &seconds
	}
	return wanted
}

func first(d *schema.ResourceData) (map[string]any, bool) {
	list, _ := d.Get(settingsAttribute).([]any)
	if len(list) == 0 {
		return nil, false
	}
	values, ok := list[0].(map[string]any)
	return values, ok
}

func liveCompute(client *sdk.Client, d *schema.ResourceData) (*sdk.Endpoint, error) {
	values, _ := first(d)
	id, _ := values["id"].(string)
	if id == "" {
		return nil, nil
	}
	answer, err := client.GetProjectEndpoint(d.Id(), id)
	if err != nil {
		return nil, err
	}
	return &answer.Endpoint, nil
}

func resize(client *sdk.Client, d *schema.ResourceData, wanted size) error {
	if wanted.suspend != nil && *wanted.suspend == suspendNever {
		_, err := client.UpdateProject(d.Id(), sdk.ProjectUpdateRequest{
			Project: sdk.ProjectUpdateRequestProject{
				DefaultEndpointSettings: &sdk.DefaultEndpointSettings{
					AutoscalingLimitMinCu: wanted.min,
					AutoscalingLimitMaxCu: wanted.max,
					SuspendTimeoutSeconds: wanted.suspend,
				},
			},
		})
		if err != nil {
			return err
		}
	}
	live, err := liveCompute(client, d)
	if err != nil || live == nil {
		return err
	}
	change := sdk.EndpointUpdateRequestEndpoint{
		AutoscalingLimitMinCu: differing(wanted.min, live.AutoscalingLimitMinCu),
		AutoscalingLimitMaxCu: differing(wanted.max, live.AutoscalingLimitMaxCu),
		SuspendTimeoutSeconds: differing(wanted.suspend, live.SuspendTimeoutSeconds),
	}
	if change.AutoscalingLimitMinCu == nil && change.AutoscalingLimitMaxCu == nil && change.SuspendTimeoutSeconds == nil {
		return nil
	}
	// Neon checks the limits against each other: both travel, or a rise of both is refused half-way.
	change.AutoscalingLimitMinCu, change.AutoscalingLimitMaxCu = wanted.min, wanted.max
	_, err = client.UpdateProjectEndpoint(d.Id(), live.ID, sdk.EndpointUpdateRequest{Endpoint: change})
	return err
}

func differing[T comparable](wanted *T, live T) *T {
	if wanted == nil || *wanted == live {
		return nil
	}
	return wanted
}

// readLiveCompute sets the attribute from the live compute, where the project has one.
func readLiveCompute(client *sdk.Client, d *schema.ResourceData) diag.Diagnostics {
	live, err := liveCompute(client, d)
	if err != nil {
		return diag.FromErr(fmt.Errorf("compute of project %s: %w", d.Id(), err))
	}
	if live == nil {
		return nil
	}
	if err := d.Set(settingsAttribute, []any{map[string]any{
		"id":       live.ID,
		minimum:    float64(live.AutoscalingLimitMinCu),
		maximum:    float64(live.AutoscalingLimitMaxCu),
		suspension: int(live.SuspendTimeoutSeconds),
	}}); err != nil {
		return diag.FromErr(err)
	}
	return nil
}
