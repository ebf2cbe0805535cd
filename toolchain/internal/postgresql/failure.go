package postgresql

import (
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"

	"tenantry.dev/toolchain/internal/passing"
)

// failure is an error in one line, without secrets.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.cause }

// failed words an error for the operator: in one line, and without the passwords that it may quote.
func (c *connection) failed(d *schema.ResourceData, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if errors.Is(err, driver.ErrBadConn) {
		text = strings.ReplaceAll(text, driver.ErrBadConn.Error(), "the server ended the session")
	}
	secrets := []string{c.config.Password}
	if _, found := d.GetOk("password"); found {
		old, wanted := d.GetChange("password")
		secrets = append(secrets, old.(string), wanted.(string))
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[password]")
		}
	}
	return &failure{passing.Marked(strings.Join(strings.Fields(text), " "), transient(err)), err}
}
