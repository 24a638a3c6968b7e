package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coldstream/coldstream/lake"
)

// lakeState is what `lake show --json` prints.
type lakeState struct {
	Version       int64               `json:"version"`
	Metadata      string              `json:"metadata"`
	Files         int                 `json:"files"`
	Bytes         int64               `json:"bytes"`
	Rows          int64               `json:"rows"`
	CompleteUntil *time.Time          `json:"complete_until"` // null while not known
	Sources       []lakeSource        `json:"sources"`
	Chunks        lake.ChunksPosition `json:"chunks"`
	Partitions    []lakePartition     `json:"partitions"`
	Gaps          lake.Gaps           `json:"gaps"`
}

type lakeSource struct {
	Number int `json:"number"`
	lake.Source
}

type lakePartition struct {
	Source        int        `json:"source"`
	Topic         string     `json:"topic"`
	Partition     int32      `json:"partition"`
	Next          int64      `json:"next"`
	CompleteUntil *time.Time `json:"complete_until"`
	Retired       bool       `json:"retired"`
}

func newLakeShowCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show version, sources, positions and recorded losses of the table", Args: cobra.NoArgs,
		Long: "Prints what the newest version of the archive's table says: its sources, the next offset of each partition, the time\n" +
			"before which everything is archived, its size, and what was accepted or adopted. It needs the object store only.",
		Example: "  coldstream lake show\n  coldstream lake show --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, table, err := g.lakeTable(false)
			if err != nil {
				return err
			}
			s, err := stateOf(cmd, table)
			if err != nil {
				return failed(err)
			}
			if g.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			return s.write(cmd.OutOrStdout())
		},
	}
}

func stateOf(cmd *cobra.Command, table *lake.Table) (*lakeState, error) {
	v, err := table.Load(cmd.Context())
	if err != nil {
		return nil, err
	}
	files, err := v.Files(cmd.Context(), lake.Filter{})
	if err != nil {
		return nil, err
	}
	sources, err := v.Sources()
	if err != nil {
		return nil, err
	}
	gaps, err := v.Gaps()
	if err != nil {
		return nil, err
	}
	s := &lakeState{
		Version: v.N, Metadata: v.MetadataLocation(), Files: len(files), CompleteUntil: timeOf(v.Position.CompleteMs),
		Sources: []lakeSource{}, Chunks: v.Position.Chunks, Partitions: []lakePartition{}, Gaps: gaps,
	}
	if s.Gaps.Decisions == nil {
		s.Gaps.Decisions = []lake.Decision{}
	}
	for i := range files {
		s.Bytes += files[i].Size
		s.Rows += files[i].Rows
	}
	for i, src := range sources {
		s.Sources = append(s.Sources, lakeSource{i, src})
	}
	for _, p := range v.Position.Sources {
		s.Partitions = append(s.Partitions, lakePartition{p.Source, p.Topic, p.Partition, p.Next, timeOf(p.CompleteMs), p.Retired})
	}
	return s, nil
}

func timeOf(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

func (s *lakeState) write(w io.Writer) error {
	fmt.Fprintf(w, "version         %d, %s\n", s.Version, s.Metadata)
	fmt.Fprintf(w, "size            %d rows in %d files, %d bytes\n", s.Rows, s.Files, s.Bytes)
	fmt.Fprintf(w, "complete until  %s\n", timeText(s.CompleteUntil))
	for _, src := range s.Sources {
		fmt.Fprintf(w, "source %-8d topic %s (id %s) of cluster %s\n", src.Number, src.Topic, src.TopicID, src.Cluster)
	}
	if s.Chunks.TopicID != "" {
		fmt.Fprintf(w, "checkpoints     topic %s (id %s), next offset %d\n", s.Chunks.Topic, s.Chunks.TopicID, s.Chunks.Next)
	}
	for _, p := range s.Partitions {
		end := ""
		if p.Retired {
			end = ", topic was made again"
		}
		fmt.Fprintf(w, "position        %s/%d of source %d: next offset %d, complete until %s%s\n", p.Topic, p.Partition, p.Source, p.Next, timeText(p.CompleteUntil), end)
	}
	if s.Gaps.Forgotten > 0 {
		fmt.Fprintf(w, "decisions       %d older ones are not listed\n", s.Gaps.Forgotten)
	}
	for i := range s.Gaps.Decisions {
		d := &s.Gaps.Decisions[i]
		fmt.Fprintf(w, "decision        %s %s, %s by %s, %d offsets given up\n", d.Kind, d.Topic, timeText(timeOf(d.TimeMs)), d.By, d.Lost)
		for _, r := range d.Ranges {
			fmt.Fprintf(w, "                %s/%d: %d to %d\n", r.Topic, r.Partition, r.From, r.To-1)
		}
	}
	_, err := fmt.Fprintf(w, "offsets given up in all: %d\n", s.Gaps.Lost)
	return err
}

func timeText(t *time.Time) string {
	if t == nil {
		return "not known"
	}
	return t.Format(time.RFC3339)
}
