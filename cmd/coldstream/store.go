package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/coldstream/coldstream/internal/awskeys"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/tlsfiles"
	"github.com/coldstream/coldstream/lake/objects"
)

// openStore opens the bucket with the configured keys, or with those that the environment has.
func openStore(cfg *config.Config) (*objects.Store, error) {
	c := objects.Config{
		Endpoint: cfg.S3.Endpoint, Region: cfg.S3.Region, AccessKey: cfg.S3.AccessKey, SecretKey: cfg.S3.SecretKey,
		Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix,
	}
	if c.AccessKey == "" {
		c.Keys = awskeys.Ambient()
	}
	var err error
	if c.RootCAs, err = storeTrust(cfg); err != nil {
		return nil, err
	}
	return objects.Open(c)
}

// storeTrust is whom the object store's certificate must be from; nil: whom the system trusts.
func storeTrust(cfg *config.Config) (*x509.CertPool, error) {
	if cfg.S3.TLSCA == "" {
		return nil, nil
	}
	pool, err := tlsfiles.Pool(cfg.S3.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("s3.tls_ca: %w", err)
	}
	return pool, nil
}

// clickHouseTrust is the same for ClickHouse's certificate.
func clickHouseTrust(cfg config.ClickHouse) (*tls.Config, error) {
	trust, err := (tlsfiles.Files{CA: cfg.TLSCA}).Config()
	if err != nil {
		return nil, fmt.Errorf("clickhouse.tls_ca: %w", err)
	}
	return trust, nil
}
