package box

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/google/renameio/v2"
)

// credentialsFile holds the passwords made for a data folder; mode 0600.
const credentialsFile = "credentials.json"

// credentials are made once per data folder and stay.
type credentials struct {
	S3Access        string `json:"s3_access_key"`
	S3Secret        string `json:"s3_secret_key"`
	Password        string `json:"clickhouse_password"`
	AnalystPassword string `json:"clickhouse_analyst_password"`
}

func loadCredentials(file string) (*credentials, error) {
	doc, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return makeCredentials(file)
	}
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	c := &credentials{}
	if err := json.Unmarshal(doc, c); err != nil {
		return nil, fmt.Errorf("credentials %s: %w", file, err)
	}
	if c.S3Access == "" || c.S3Secret == "" || c.Password == "" || c.AnalystPassword == "" {
		return nil, fmt.Errorf("credentials %s: a password is missing; move the file away to have new ones made", file)
	}
	return c, nil
}

func makeCredentials(file string) (*credentials, error) {
	c := &credentials{S3Access: "coldstream", S3Secret: rand.Text(), Password: rand.Text(), AnalystPassword: rand.Text()}
	doc, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := renameio.WriteFile(file, append(doc, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return c, nil
}
