package bench

import (
	"fmt"
	"os"
	"strings"
)

// Settings are a flag that may be repeated: settings of a worker, as cold.max_bytes=134217728.
type Settings []string

// String implements flag.Value.
func (s *Settings) String() string { return strings.Join(*s, " ") }

// Set implements flag.Value.
func (s *Settings) Set(v string) error {
	if !strings.Contains(v, "=") {
		return fmt.Errorf("%q: want a key of the configuration, = and its value", v)
	}
	*s = append(*s, v)
	return nil
}

// env is this process's environment and the settings.
func (s Settings) env() []string {
	env := os.Environ()
	for _, one := range s {
		key, value, _ := strings.Cut(one, "=")
		env = append(env, "COLDSTREAM_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))+"="+value)
	}
	return env
}

// Alternatives are a flag that may be repeated: settings, separated by spaces, for a run beside the others.
type Alternatives []Settings

// String implements flag.Value.
func (a *Alternatives) String() string { return fmt.Sprint(*a) }

// Set implements flag.Value.
func (a *Alternatives) Set(v string) error {
	var s Settings
	for _, one := range strings.Fields(v) {
		if err := s.Set(one); err != nil {
			return err
		}
	}
	*a = append(*a, s)
	return nil
}

// S3 is a store, as COLDSTREAM_TEST_S3 gives it.
type S3 struct{ Endpoint, AccessKey, SecretKey string }

// ParseS3 reads host:port,access key,secret key.
func ParseS3(text string) (S3, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return S3{}, fmt.Errorf("store %q: want host:port,access key,secret key", text)
	}
	return S3{parts[0], parts[1], parts[2]}, nil
}
