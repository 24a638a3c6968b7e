package tlsfiles

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// Advice is what to do about a server's certificate that was refused; empty for other errors. who is the server, as in "the
// broker's certificate"; ca and addr are the settings of who is trusted and of its address.
func Advice(err error, who, ca, addr string) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("nobody whom we trust signed %s certificate: set %s to the PEM file of the authority that did", who, ca)
	case errors.As(err, &hostname):
		return fmt.Sprintf("set %s to a name that stands in %s certificate, or give it a certificate for this one", addr, who)
	case errors.As(err, &invalid):
		return fmt.Sprintf("renew %s certificate, or set this machine's clock", who)
	default:
		return ""
	}
}
