package kafkaclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/tlsfiles"
)

// Explain adds to an error of a client what to do about it, where it is one of how the brokers are reached; nil stays nil.
func Explain(err error) error {
	if advice := Advice(err); advice != "" {
		return fmt.Errorf("%w: %s", err, advice)
	}
	return err
}

// Advice is what to do about an error of TLS or SASL; empty for others.
func Advice(err error) string {
	var (
		alert tls.AlertError
		eof   *kgo.ErrFirstReadEOF
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "the broker refuses user or password: set kafka.user and kafka.password (or kafka.password_file) to an account that it has, for this mechanism (kafka.sasl)"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return "set kafka.sasl to a mechanism that this listener of the broker has"
	case errors.Is(err, kerr.IllegalSaslState):
		return "this listener of the broker expects no SASL: set kafka.sasl: none, or kafka.brokers to the port that has it"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls: "):
		return "the broker refuses our side of TLS: where it asks for a certificate, set kafka.tls_cert and kafka.tls_key to one that it trusts"
	case errors.As(err, &eof), errors.Is(err, io.EOF), errors.Is(err, errHandshake), errors.As(err, &tls.RecordHeaderError{}),
		strings.Contains(err.Error(), "tls alert record"): // franz-go's, which has no type
		return "set kafka.tls, kafka.sasl, user and password to what this listener of the broker takes, or kafka.brokers to the port that takes what is set"
	default:
		return tlsfiles.Advice(err, "the broker's", "kafka.tls_ca", "kafka.brokers")
	}
}
