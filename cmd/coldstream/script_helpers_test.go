package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

func publishRaw(addr, topic, doc string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(context.Background(), &kgo.Record{Topic: topic, Value: []byte(doc)}).FirstErr()
}
