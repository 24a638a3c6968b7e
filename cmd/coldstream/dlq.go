package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/internal/deadletter"
	"github.com/coldstream/coldstream/internal/kafkaclient"
	"github.com/coldstream/coldstream/internal/kafkalog"
)

func newDLQCommand(g *globals) *cobra.Command {
	return group("dlq", "The dead letters: records that were refused, with the reason", newDLQListCommand(g), newDLQShowCommand(g), newDLQWaitingCommand(g))
}

// letter is one dead letter as `dlq list --json` prints it.
type letter struct {
	ID        string    `json:"id"`
	Error     string    `json:"error"`
	Stage     string    `json:"stage"`
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"`
}

func letterOf(r *kgo.Record) letter {
	d := deadletter.Parse(r)
	return letter{ID: string(r.Key), Error: d.Error, Stage: d.Stage, Topic: d.Topic, Partition: d.Partition, Offset: d.Offset, Time: d.Time}
}

// eachLetter reads the topic of dead letters from its start to its end.
func eachLetter(cmd *cobra.Command, cfg *config.Config, f func(*kgo.Record) error) error {
	if err := cfg.Need(true, false, false); err != nil {
		return err
	}
	err := kafkalog.Read(cmd.Context(), clientOf(cfg), cfg.Kafka.Topics.DLQ, f)
	if cmd.Context().Err() != nil {
		return cmd.Context().Err()
	}
	return failed(kafkaclient.Explain(err))
}

func newDLQListCommand(g *globals) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List the dead letters, oldest first", Args: cobra.NoArgs,
		Long: "Lists records that were refused for good. Edits and deletes whose message has not come yet are not among them:\n" +
			"`coldstream dlq waiting` lists these, and they become dead letters of stage resolve after resolver.give_up.",
		Example: "  coldstream dlq list\n  coldstream dlq list --json --limit 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			letters := []letter{}
			if err := eachLetter(cmd, cfg, func(r *kgo.Record) error {
				if limit == 0 || len(letters) < limit {
					letters = append(letters, letterOf(r))
				}
				return nil
			}); err != nil {
				return err
			}
			if g.json {
				return printJSON(cmd.OutOrStdout(), letters)
			}
			for _, l := range letters {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %-8s %s\n", l.Time.Format(time.RFC3339), l.ID, l.Stage, l.Error)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d dead letters in %s%s\n", len(letters), cfg.Kafka.Topics.DLQ, andWaiting(cmd.Context(), cfg))
			return nil
		},
	}
	c.Flags().IntVar(&limit, "limit", 0, "at most so many (0: all)")
	return c
}

func newDLQShowCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one dead letter with its bytes as they came", Args: cobra.ExactArgs(1),
		Long:    "Prints why the record was refused, and its value. The id is topic:partition:offset, as `dlq list` prints it.\nWith --json the value is a string; bytes that are not UTF-8 are replaced.",
		Example: "  coldstream dlq show events:2:117",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			var found *kgo.Record
			if err := eachLetter(cmd, cfg, func(r *kgo.Record) error {
				if string(r.Key) == args[0] {
					found = r
				}
				return nil
			}); err != nil {
				return err
			}
			if found == nil {
				return failed(fmt.Errorf("no dead letter %s in %s; `coldstream dlq list` lists them", args[0], cfg.Kafka.Topics.DLQ))
			}
			l := letterOf(found)
			if g.json {
				return printJSON(cmd.OutOrStdout(), struct {
					letter
					Value string `json:"value"`
				}{l, string(found.Value)})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "id     %s\ntime   %s\nstage  %s\nerror  %s\n\n%s\n", l.ID, l.Time.Format(time.RFC3339), l.Stage, l.Error, found.Value)
			return err
		},
	}
}
