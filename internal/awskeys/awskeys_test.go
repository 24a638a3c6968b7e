package awskeys_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/awskeys"
)

// nothing clears what this machine may have.
func nothing(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONFIG_FILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func get(keys *credentials.Credentials) (credentials.Value, error) {
	return keys.GetWithContext(&credentials.CredContext{})
}

func TestEnvironment(t *testing.T) {
	nothing(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA1")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "token")
	v, err := get(awskeys.New())
	require.NoError(t, err)
	require.Equal(t, []string{"AKIA1", "secret", "token"}, []string{v.AccessKeyID, v.SecretAccessKey, v.SessionToken})
}

func TestSharedFile(t *testing.T) {
	nothing(t)
	file := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(file, []byte("[default]\naws_access_key_id=A\naws_secret_access_key=a\n[chat]\naws_access_key_id=B\naws_secret_access_key=b\n"), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	v, err := get(awskeys.New())
	require.NoError(t, err)
	require.Equal(t, "A", v.AccessKeyID)
	t.Setenv("AWS_PROFILE", "chat")
	v, err = get(awskeys.New())
	require.NoError(t, err)
	require.Equal(t, "B", v.AccessKeyID)
}

// A role's keys are asked for again before they expire, and a service that fails is named.
func TestRoleOfAContainer(t *testing.T) {
	nothing(t)
	asked, lives := 0, 500*time.Millisecond
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "let me" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		asked++
		fmt.Fprintf(w, `{"AccessKeyId": "K%d", "SecretAccessKey": "s", "Token": "t", "Expiration": %q}`, asked, time.Now().Add(lives).Format(time.RFC3339Nano))
	}))
	defer s.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", s.URL)
	_, err := get(awskeys.New())
	require.ErrorIs(t, err, awskeys.ErrNone)
	require.ErrorContains(t, err, "role: 403")

	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me")
	keys := awskeys.New()
	v, err := get(keys)
	require.NoError(t, err)
	require.Equal(t, "K1", v.AccessKeyID)
	lives = time.Hour
	require.Eventually(t, func() bool {
		v, err = get(keys)
		return err == nil && v.AccessKeyID == "K2"
	}, 10*time.Second, 20*time.Millisecond)
	v, err = get(keys)
	require.NoError(t, err)
	require.Equal(t, "K2", v.AccessKeyID, "kept for its hour")
}

func TestNowhere(t *testing.T) {
	nothing(t)
	_, err := get(awskeys.New())
	require.ErrorIs(t, err, awskeys.ErrNone)
}
