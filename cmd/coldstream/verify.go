package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/internal/config"
	"github.com/coldstream/coldstream/jobs/verify"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/codec"
)

func newVerifyCommand(g *globals) *cobra.Command {
	var wait time.Duration
	var earlier []string
	c := &cobra.Command{
		Use: "verify", Short: "Compare topic, lake and hot store, event by event", Args: cobra.NoArgs,
		Long: "Reads the topic, the lake and the hot store independently and compares them. It covers the offsets that the topic still\n" +
			"holds. Where no ClickHouse is configured the hot store is left out. Exit status: 0 nothing is wrong, 1 something is,\n" +
			"3 a part could not be read or --wait ran out.",
		Example: "  coldstream verify\n  coldstream verify --wait 5m --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.system()
			if err != nil {
				return err
			}
			if err := cfg.Need(true, true, false); err != nil {
				return err
			}
			vc, err := verifyConfig(cmd.Context(), cfg, earlier, cmd.ErrOrStderr())
			if err != nil {
				return keepCode(err)
			}
			if wait > 0 {
				if err := settle(cmd.Context(), cfg, vc, wait, cmd.ErrOrStderr()); err != nil {
					return failed(err)
				}
			}
			r, err := verify.Run(cmd.Context(), *vc)
			if err != nil {
				if cmd.Context().Err() != nil {
					return cmd.Context().Err()
				}
				return failed(err)
			}
			if err := showVerify(cmd.OutOrStdout(), g.json, vc.Hot != nil, r); err != nil {
				return err
			}
			if !r.OK {
				return &exitError{code: exitFound}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&earlier, "earlier-policy", nil, "policy `FILE` of before, for events that it dropped and the present one keeps; may stand many times")
	c.Flags().DurationVar(&wait, "wait", 0, "ask the workers to checkpoint, and wait until lag and commits have settled, at most this long")
	return c
}

// jsonDecoder is the project's codec over records of the topic.
type jsonDecoder struct{ codec.JSON }

func (d *jsonDecoder) Decode(b *schemas.Batch, r verify.Record) error {
	return d.JSON.Decode(b, r.Value, codec.Origin{Partition: r.Partition, Offset: r.Offset, Time: r.Time.UnixMicro()})
}

func verifyConfig(ctx context.Context, cfg *config.Config, policies []string, progress io.Writer) (*verify.Config, error) {
	program, chain, earlier, err := verifyChains(cfg, policies)
	if err != nil {
		return nil, err
	}
	source, err := topicIdentity(ctx, cfg)
	if err != nil {
		return nil, err
	}
	table, err := openTable(cfg)
	if err != nil {
		return nil, err
	}
	k := &cfg.Kafka
	decoder := &jsonDecoder{codec.JSON{Epoch: cfg.Epoch, OpaqueIDs: cfg.IDs == "opaque"}}
	vc := &verify.Config{
		Log:     verify.KafkaLog{Client: clientOf(cfg), Topic: k.Topics.Events},
		Lake:    &verify.LakeTable{Table: table, Cluster: source.Cluster, TopicID: source.TopicID},
		Decoder: decoder, Bulk: decoder.BulkTargets, Redactor: chain, Earlier: earlier,
		Policy: int64(program.Version()), HotGroup: k.GroupOf(partHot), ColdGroup: k.GroupOf(partCold), Progress: verifyProgress(progress),
	}
	if cfg.ClickHouse.Addr == "" { // an archive alone
		return vc, nil
	}
	client, err := openClickHouse(cfg)
	if err != nil {
		return nil, err
	}
	vc.Hot = verify.ClickHouse{Client: client}
	return vc, nil
}

// verifyProgress says every few seconds how far each stage is.
func verifyProgress(w io.Writer) func(string, int64, int64) {
	next := time.Now().Add(3 * time.Second)
	return func(stage string, done, total int64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(3 * time.Second)
			if total == 0 {
				fmt.Fprintf(w, "verify: %s\n", stage)
				return
			}
			fmt.Fprintf(w, "verify: %s: %d of %d\n", stage, done, max(done, total))
		}
	}
}

// settle asks for a checkpoint and waits until lake and hot store have what the topic held when it began.
func settle(ctx context.Context, cfg *config.Config, vc *verify.Config, wait time.Duration, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	want, err := vc.Log.Spans(ctx)
	if err != nil {
		return err
	}
	askCheckpoint(ctx, cfg.HTTP.Addr)
	tell := verifyProgress(w)
	for asked := time.Now(); ; {
		hot, lake, err := behind(ctx, vc, want)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case err == nil && hot == 0 && lake == 0:
			return nil
		case err == nil:
			tell(fmt.Sprintf("waiting: records behind: hot %d, lake %d", hot, lake), 0, 0)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("--wait %v ran out: %s", wait, late(ctx, vc, want))
		case <-time.After(300 * time.Millisecond):
		}
		if time.Since(asked) > 5*time.Second { // what the worker had on its way at the first request was closed before it
			askCheckpoint(ctx, cfg.HTTP.Addr)
			asked = time.Now()
		}
	}
}

// late says who is behind, when waiting was in vain.
func late(ctx context.Context, vc *verify.Config, want []verify.RangeSpan) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	hot, lake, err := behind(ctx, vc, want)
	if err != nil {
		return err.Error()
	}
	checkpointed, err := vc.Log.Committed(ctx, vc.ColdGroup)
	if err != nil {
		return err.Error()
	}
	var cold int64
	for _, s := range want {
		cold += max(0, s.Next-max(checkpointed[s.Partition], s.From))
	}
	return fmt.Sprintf("the hot store is %d records behind, the archive's workers %d, the committer %d: does each of them run? see their logs and the status page", hot, cold, lake-cold)
}

// askCheckpoint asks the process behind an HTTP address. Where none answers, the workers' own interval decides.
func askCheckpoint(ctx context.Context, addr string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/control/checkpoint", nil)
	if err != nil {
		return
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}

// behind counts the records of the spans that the hot store and the lake have not come to.
func behind(ctx context.Context, vc *verify.Config, want []verify.RangeSpan) (hot, lake int64, err error) {
	var inserted map[int32]int64
	if vc.Hot != nil {
		if inserted, err = vc.Log.Committed(ctx, vc.HotGroup); err != nil {
			return 0, 0, err
		}
	}
	if err := vc.Lake.Open(ctx); err != nil {
		return 0, 0, err
	}
	archived := vc.Lake.Position()
	for _, s := range want {
		if vc.Hot != nil {
			hot += max(0, s.Next-max(inserted[s.Partition], s.From))
		}
		lake += max(0, s.Next-max(archived[s.Partition], s.From))
	}
	return hot, lake, nil
}

func showVerify(w io.Writer, json, hasHot bool, r *verify.Result) error {
	if json {
		return printJSON(w, r)
	}
	word := "OK"
	if !r.OK {
		word = "WRONG"
	}
	hot := "left out: no clickhouse.addr is configured"
	if hasHot {
		hot = fmt.Sprintf("%d messages: %d missing, %d stale, %d extra, %d waiting", r.Hot.Messages, r.Hot.Missing, r.Hot.Stale, r.Hot.Extra, r.Hot.Waiting)
	}
	_, err := fmt.Fprintf(w, `%s
topic  %d records: %d events, %d repeats, %d dead
lake   %d events in %d files, %d bytes: %d missing (%d altered), %d duplicated, %d repeats, %d extra, %d unreferenced files
hot    %s
lag    hot %d, cold %d, commit %d records
`, word, r.Topic.Records, r.Topic.Events, r.Topic.Repeats, r.Topic.Dead,
		r.Lake.Events, r.Lake.Files, r.Lake.Bytes, r.Lake.Missing, r.Lake.Altered, r.Lake.Duplicated, r.Lake.Repeats, r.Lake.Extra, r.Lake.UnreferencedFiles,
		hot, r.Lag.Hot.Records, r.Lag.Cold.Records, r.Lag.Commit.Records)
	for _, e := range r.Examples {
		fmt.Fprintln(w, " ", e)
	}
	return err
}
