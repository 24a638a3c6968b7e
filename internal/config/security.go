package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/coldstream/coldstream/internal/tlsfiles"
)

// The mechanisms of SASL that kafka.sasl may name.
const (
	SASLNone        = "none"
	SASLPlain       = "plain"
	SASLScramSHA256 = "scram-sha-256"
	SASLScramSHA512 = "scram-sha-512"
	SASLAWSMSKIAM   = "aws-msk-iam"
)

var mechanisms = []string{SASLNone, SASLPlain, SASLScramSHA256, SASLScramSHA512, SASLAWSMSKIAM}

// KafkaSecurity says how the brokers are reached: with TLS or not, and as whom.
type KafkaSecurity struct {
	TLS                    bool
	TLSCA, TLSCert, TLSKey string // PEM files
	SASL                   string // a mechanism; empty: none
	User                   string
	Password, PasswordFile string // one of them
}

// Files are those of TLS.
func (s *KafkaSecurity) Files() tlsfiles.Files {
	return tlsfiles.Files{CA: s.TLSCA, Cert: s.TLSCert, Key: s.TLSKey}
}

// Secret is the password; a file is read at every call, without the end of its line.
func (s *KafkaSecurity) Secret() (string, error) {
	if s.PasswordFile == "" {
		return s.Password, nil
	}
	doc, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(doc), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", s.PasswordFile)
	}
	return secret, nil
}

type badFunc = func(ok bool, key, format string, a ...any)

func (s *KafkaSecurity) validate(bad badFunc) {
	for _, f := range [][2]string{{"kafka.tls_ca", s.TLSCA}, {"kafka.tls_cert", s.TLSCert}, {"kafka.tls_key", s.TLSKey}} {
		bad(s.TLS || f[1] == "", f[0], "it is for TLS, which is off: set kafka.tls: true as well")
	}
	s.validateFiles(bad)
	s.validateSASL(bad)
}

func (s *KafkaSecurity) validateFiles(bad badFunc) {
	if !s.TLS {
		return
	}
	if _, err := (tlsfiles.Files{CA: s.TLSCA}).Config(); err != nil {
		bad(false, "kafka.tls_ca", "%v", err)
	}
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		bad(false, "kafka.tls_cert", "a certificate without its key: set kafka.tls_key")
	case s.TLSCert == "" && s.TLSKey != "":
		bad(false, "kafka.tls_key", "a key without its certificate: set kafka.tls_cert")
	default:
		if _, err := (tlsfiles.Files{Cert: s.TLSCert, Key: s.TLSKey}).Config(); err != nil {
			bad(false, "kafka.tls_cert", "%v", err)
		}
	}
}

func (s *KafkaSecurity) validateSASL(bad badFunc) {
	given := s.User != "" || s.Password != "" || s.PasswordFile != ""
	bad(s.Password == "" || s.PasswordFile == "", "kafka.password_file", "kafka.password is set too: one of them")
	if s.PasswordFile != "" {
		_, err := s.Secret()
		bad(err == nil, "kafka.password_file", "%v", err)
	}
	switch s.SASL {
	case SASLNone, "":
		bad(!given, "kafka.sasl", "there is a user or a password, and no mechanism: %s", strings.Join(mechanisms[1:], ", "))
	case SASLAWSMSKIAM:
		bad(s.TLS, "kafka.sasl", "aws-msk-iam is spoken over TLS alone: set kafka.tls: true")
	default:
		known := slices.Contains(mechanisms, s.SASL)
		bad(known, "kafka.sasl", "%q: %s", s.SASL, strings.Join(mechanisms, ", "))
		bad(!known || s.User != "", "kafka.user", "%s takes a user", s.SASL)
	}
}

// missing is the secret that the mechanism takes and that neither file nor environment gave.
func (s *KafkaSecurity) missing() bool {
	return s.User != "" && s.Password == "" && s.PasswordFile == ""
}

// Warnings are what is allowed and hardly meant.
func (c *Config) Warnings() Problems {
	var ps Problems
	if k := &c.Kafka.KafkaSecurity; k.SASL == SASLPlain && !k.TLS {
		ps = append(ps, Problem{Key: "kafka.sasl", Text: "plain without TLS sends the password readably over the network; set kafka.tls: true, or take scram-sha-512"})
	}
	return ps
}

// checkServerURL takes host:port, or a URL of http or https without more than a host and a port.
func checkServerURL(addr string) error {
	if !strings.Contains(addr, "://") {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%q is neither host:port nor a URL such as https://host:8443", addr)
		}
		return nil
	}
	u, err := url.Parse(addr)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("%q is neither host:port nor a URL such as https://host:8443", addr)
	}
	if u.Port() == "" {
		return errors.New(addr + " has no port: ClickHouse's are 8123 for http and 8443 for https")
	}
	return nil
}

func (c *ClickHouse) validateAddr(bad badFunc) {
	if c.Addr != "" {
		err := checkServerURL(c.Addr)
		bad(err == nil, "clickhouse.addr", "%v", err)
	}
	https := strings.Contains(c.Addr+strings.Join(c.Shards, " "), "https://")
	validateCA(bad, "clickhouse.tls_ca", c.TLSCA, c.Addr == "" || https, "clickhouse.addr is not an https:// URL")
}

func (s *S3) validate(bad badFunc) {
	validateCA(bad, "s3.tls_ca", s.TLSCA, s.Endpoint == "" || strings.HasPrefix(s.Endpoint, "https://"), "s3.endpoint is not an https:// URL")
}

func validateCA(bad badFunc, key, file string, used bool, unused string) {
	if file == "" {
		return
	}
	bad(used, key, "it is for TLS, and %s", unused)
	if _, err := tlsfiles.Pool(file); err != nil {
		bad(false, key, "%v", err)
	}
}
