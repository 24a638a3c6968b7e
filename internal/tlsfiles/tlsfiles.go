// Package tlsfiles makes the TLS configuration of a client from the PEM files that a deployment gives it.
//
// [Files] is the one type; its errors name the file and what is wrong with it. Files are read anew at every call, so that
// a caller who asks at every connection follows certificates that are replaced while it runs. It makes no connections.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// Files are names of PEM files; each may be empty.
type Files struct {
	CA   string // certificates of the authorities that are trusted, in place of the system's
	Cert string // the client's own certificate, with the chain below it
	Key  string // its private key, not encrypted
}

// Config reads the files. Without any it trusts what the system trusts, and shows no certificate.
func (f Files) Config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if f.CA != "" {
		if c.RootCAs, err = Pool(f.CA); err != nil {
			return nil, err
		}
	}
	if f.Cert == "" && f.Key == "" {
		return c, nil
	}
	pair, err := f.pair()
	if err != nil {
		return nil, err
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

func (f Files) pair() (tls.Certificate, error) {
	if f.Cert == "" || f.Key == "" {
		return tls.Certificate{}, errors.New("a client's certificate and its key go together: give both files or neither")
	}
	cert, err := read(f.Cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := read(f.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s and %s: %w", f.Cert, f.Key, err)
	}
	return pair, nil
}

// Pool reads certificates of authorities.
func Pool(file string) (*x509.CertPool, error) {
	doc, err := read(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(doc) {
		return nil, fmt.Errorf("%s: no certificate in it (-----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}

// read reads a file that must be PEM; errors of the system name the file already.
func read(file string) ([]byte, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(doc); block == nil {
		return nil, fmt.Errorf("%s: not PEM: there is no line -----BEGIN …----- in it", file)
	}
	return doc, nil
}
