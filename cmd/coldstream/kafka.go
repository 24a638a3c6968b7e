package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
)

// clientOf is how commands that look once reach the brokers: they give up after a while, and tell why themselves.
func clientOf(cfg *config.Config) []kgo.Opt {
	return append(kafkaclient.Quiet(&cfg.Kafka, "command"), kgo.RetryTimeout(10*time.Second))
}
