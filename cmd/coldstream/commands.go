package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/ingest/producer"
	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/kafkaclient"
)

// commands are all commands; the help lists them by name.
func commands(g *globals) []*cobra.Command {
	return []*cobra.Command{
		newUpCommand(g), newDemoCommand(g), newRunCommand(g), newServeCommand(g), newInitCommand(g), newImportCommand(g, g.publishTarget),
		newGenerateCommand(g, g.publishTarget), newSQLCommand(g), newVerifyCommand(g), newIDCommand(g), newMigrateCommand(g),
		newConfigCommand(g), newDLQCommand(g), newLakeCommand(g), newCompactCommand(g), newSweepCommand(g), newRedactCommand(), newDoctorCommand(g), newVersionCommand(g),
	}
}

// publishTarget is the events topic of the system that the command talks to.
func (g *globals) publishTarget(context.Context) (*producer.Producer, error) {
	cfg, err := g.system()
	if err != nil {
		return nil, err
	}
	return newProducer(cfg)
}

func newProducer(cfg *config.Config) (*producer.Producer, error) {
	if err := cfg.Need(true, false, false); err != nil {
		return nil, err
	}
	return producer.New(producer.Config{
		Brokers: cfg.Kafka.Brokers, Topic: cfg.Kafka.Topics.Events, Epoch: cfg.Epoch, Client: kafkaclient.Quiet(&cfg.Kafka, "producer"),
	})
}
