package main

import (
	"context"

	"github.com/coldstream/coldstream/bench"
	"github.com/coldstream/coldstream/lake"
	"github.com/coldstream/coldstream/lake/objects"
)

// worker is the process under measurement.
type worker struct {
	*bench.Worker
	o     options
	topic string
	table *lake.Table
}

// prepare makes a worker and its table; store is the store's address for the worker.
func prepare(ctx context.Context, o options, topic, store string) (*worker, error) {
	w, err := bench.PrepareWorker(ctx, bench.WorkerConfig{
		Binary: o.binary, Parts: "cold,committer", Kafka: o.kafka, Topic: topic,
		S3:       &bench.S3{Endpoint: store, AccessKey: o.s3.AccessKey, SecretKey: o.s3.SecretKey},
		Settings: o.settings, CPUProfile: o.cpuprofile,
	})
	if err != nil {
		return nil, err
	}
	objectStore, err := objects.Open(objects.Config{
		Endpoint: o.s3.Endpoint, AccessKey: o.s3.AccessKey, SecretKey: o.s3.SecretKey, Bucket: w.Name,
	})
	if err != nil {
		return nil, err
	}
	return &worker{w, o, topic, lake.OpenEvents(objectStore)}, nil
}
