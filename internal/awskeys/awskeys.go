// Package awskeys finds AWS credentials where AWS's own clients look for them, for the object store and for MSK.
//
// [Ambient] is the chain that the whole process shares, [New] one of its own. Unlike minio-go's chain, which is anonymous when it finds nothing and says no reason, it
// fails with [ErrNone] and what each place said.
package awskeys

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// ErrNone says that no place had credentials.
var ErrNone = errors.New("no credentials: none are configured, and none were found in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), the shared file (~/.aws/credentials, AWS_PROFILE) or as a role (web identity, container, instance)")

// askTimeout bounds a question to a service that hands out credentials. Where there is none its address leads nowhere.
const askTimeout = 5 * time.Second

// Ambient is the process's chain: whoever asks first waits for it, the others take what was found.
var Ambient = sync.OnceValue(New)

// New is the usual chain: the environment (AWS_ACCESS_KEY_ID …), the shared files (~/.aws, AWS_PROFILE), web identity
// (AWS_WEB_IDENTITY_TOKEN_FILE), the container's and the instance's role. It looks at the first Get and again before what
// it found expires, and may be used by many goroutines.
func New() *credentials.Credentials {
	places := []place{{"environment", &credentials.EnvAWS{}}, {"shared file", &credentials.FileAWSCredentials{}}}
	if role() {
		transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}
		places = append(places, place{"role", &credentials.IAM{Client: &http.Client{Timeout: askTimeout, Transport: transport}}})
	}
	return credentials.New(&chain{places: places})
}

// role tells whether a role is worth asking for: AWS_EC2_METADATA_DISABLED turns the instance's off, as it does for AWS's clients.
func role() bool {
	for _, name := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return !strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true")
}

type place struct {
	name string
	credentials.Provider
}

// chain is the first place that has credentials. credentials.Credentials serialises its calls.
type chain struct {
	places  []place
	current credentials.Provider
}

// Retrieve implements credentials.Provider.
func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext implements credentials.Provider. Of the context the HTTP client is not handed on: it is the
// object store's, and trusts what that was told to.
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	own := &credentials.CredContext{Context: context.Background()}
	if cc != nil && cc.Context != nil {
		own.Context = cc.Context
	}
	var why []string
	for _, p := range c.places {
		v, err := p.RetrieveWithCredContext(own)
		switch {
		case err != nil:
			why = append(why, fmt.Sprintf("%s: %v", p.name, err))
		case v.AccessKeyID != "" && v.SecretAccessKey != "":
			c.current = p
			return v, nil
		}
	}
	if len(why) == 0 {
		return credentials.Value{}, ErrNone
	}
	return credentials.Value{}, fmt.Errorf("%w (%s)", ErrNone, strings.Join(why, "; "))
}

// IsExpired implements credentials.Provider.
func (c *chain) IsExpired() bool { return c.current == nil || c.current.IsExpired() }
