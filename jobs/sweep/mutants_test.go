package sweep_test

import (
	"testing"

	"github.com/coldstream/coldstream/internal/testkit/mutants"
)

// Every rule of what sweep deletes, of the fence before it and of what is trimmed is attacked by taking it away.
func TestEveryRuleIsNoticed(t *testing.T) {
	const sweep, chunks, references, trim = "jobs/sweep/sweep.go", "jobs/sweep/chunks.go", "lake/references.go", "lake/trim.go"
	mutants.Try(t, "./jobs/sweep", "^Test(Sweep|Trim)", []mutants.Mutant{
		mutants.Of("young objects stay", sweep, `case !o.Modified.Before(s.before):`, `case false:`),
		mutants.Of("what a version needs stays", sweep, `case !sweepable, s.refs.Has(o.Key), s.announced[o.Key]:`, `case !sweepable, s.announced[o.Key]:`),
		mutants.Of("what chunks names stays", sweep, `case !sweepable, s.refs.Has(o.Key), s.announced[o.Key]:`, `case !sweepable, s.refs.Has(o.Key):`),
		mutants.Of("versions, hint and listings stay", sweep, `case !sweepable, s.refs.Has(o.Key), s.announced[o.Key]:`, `case false && sweepable, s.refs.Has(o.Key), s.announced[o.Key]:`),
		mutants.Of("names of others stay", sweep, "\treturn false, false\n", "\treturn true, true\n"),
		mutants.Of("a dry run deletes nothing", sweep, `if err != nil || s.cfg.DryRun {`, `if err != nil {`),
		mutants.Of("a writer that slept is fenced", sweep, "if _, at, err = s.cfg.Table.Fence(ctx); err != nil {\n\t\t\treturn at, err\n\t\t}", "if _, err = s.cfg.Table.Load(ctx); err != nil {\n\t\t\treturn at, err\n\t\t}"),
		mutants.Of("chunks is read from the position of what was read", sweep, `s.readChunks(ctx, s.refs.Newest.Position.Chunks)`, `s.readChunks(ctx, func() lake.ChunksPosition { v, _ := s.cfg.Table.Load(ctx); return v.Position.Chunks }())`),
		mutants.Of("open and aborted records count", chunks, `kgo.ReadUncommitted()`, `kgo.ReadCommitted()`),
		mutants.Of("records behind an open one count", chunks, `from.Next, end, func`, `from.Next, stable, func`),
		mutants.Of("a checkpoint's list of files counts", chunks, `if cp.FilesObject != nil {`, `if false {`),
		mutants.Of("another topic is refused", chunks, `if from.TopicID != "" && (from.TopicID != id.TopicID || from.Cluster != id.Cluster) {`, `if false {`),
		mutants.Of("lost records are refused", chunks, `if from.Next < start || from.Next > end {`, `if false {`),
		mutants.Of("a committer that is behind is refused", chunks, `age > s.cfg.Margin/4`, `age > 1000*s.cfg.Margin`),
		mutants.Of("an unreadable record is refused", chunks, `return fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err)`, `_ = fmt.Errorf("%s offset %d: %w", r.Topic, r.Offset, err); return nil`),
		mutants.Of("every version counts", references, `if all[i].expired() {`, `if all[i].expired() || i+1 < len(all) {`),
		mutants.Of("trim stays behind every version", trim, `min(oldest.Position.Chunks.Next, newest.Position.Chunks.Next-keepChunks)`, `newest.Position.Chunks.Next - keepChunks`),
		mutants.Of("trim leaves the newest records for tools", trim, `min(oldest.Position.Chunks.Next, newest.Position.Chunks.Next-keepChunks)`, `oldest.Position.Chunks.Next`),
		mutants.Of("trim leaves young records", trim, `min(next, first.Offset)`, `next + 0*first.Offset`),
	})
}
