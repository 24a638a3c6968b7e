package kafkaclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
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
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		alert    tls.AlertError
		eof      *kgo.ErrFirstReadEOF
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
	case errors.As(err, &unknown):
		return "nobody whom we trust signed the broker's certificate: set kafka.tls_ca to the PEM file of the authority that did"
	case errors.As(err, &hostname):
		return "set kafka.brokers to a name that stands in the broker's certificate, or give the broker a certificate for this one"
	case errors.As(err, &invalid):
		return "renew the broker's certificate, or set this machine's clock"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls: "):
		return "the broker refuses our side of TLS: where it asks for a certificate, set kafka.tls_cert and kafka.tls_key to one that it trusts"
	case errors.As(err, &eof), errors.Is(err, io.EOF), errors.Is(err, errHandshake), errors.As(err, &tls.RecordHeaderError{}),
		strings.Contains(err.Error(), "tls alert record"): // franz-go's, which has no type
		return "set kafka.tls, kafka.sasl, user and password to what this listener of the broker takes, or kafka.brokers to the port that takes what is set"
	default:
		return ""
	}
}
