package random

import (
	"context"
	"testing"

	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestTokensAreTheOfficialOnes(t *testing.T) {
	t.Parallel()
	info := Info()
	if got := string(info.Resources["random_password"].Tok); got != "random:index/randomPassword:RandomPassword" {
		t.Error(got)
	}
	info.P.ResourcesMap().Range(func(name string, _ shim.Resource) bool {
		if info.Resources[name] == nil {
			t.Errorf("%s has no token", name)
		}
		return true
	})
}

func TestTheIDOfRandomBytesIsNotTheSecret(t *testing.T) {
	t.Parallel()
	id, err := Info().Resources["random_bytes"].ComputeID(context.Background(),
		resource.PropertyMap{"base64": resource.NewStringProperty("c2VjcmV0")})
	if err != nil || id != "none" {
		t.Errorf("%q, %v", id, err)
	}
}
