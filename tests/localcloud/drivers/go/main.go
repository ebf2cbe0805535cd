// Connects as the environment says, and prints the login's mechanism and the user's name.
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

func main() {
	uri, err := url.Parse(os.Getenv("URI"))
	if err != nil {
		log.Fatal("URI: cannot be read")
	}
	options := uri.Query()
	options.Set("sslmode", "verify-full")
	options.Set("sslrootcert", os.Getenv("CA_FILE"))
	options.Set("channel_binding", "require")
	uri.RawQuery = options.Encode()
	connection, err := pgx.Connect(context.Background(), uri.String())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close(context.Background())
	var name string
	if err := connection.QueryRow(context.Background(), "SELECT current_user").Scan(&name); err != nil {
		log.Fatal(err)
	}
	// pgx gives up where it cannot have what `require` asks for.
	fmt.Println("SCRAM-SHA-256-PLUS", name)
}
