package main

// mutants are one mistake for every step of the protocol that is there to prevent something.
var mutants = []mutant{
	{
		name: "announce-before-upload", what: "the record is written while the files are still on their way",
		kinds: []string{"worker-kill-at", "worker-kill", "s3-500"},
		edits: []edit{{
			"sinks/lake/upload.go", "return u.put(ctx, u.cp.files[n].Path, file.Bytes)",
			"go func() { time.Sleep(500 * time.Millisecond); _ = u.put(context.Background(), u.cp.files[n].Path, file.Bytes) }()\n\treturn nil",
		}},
	},
	{
		name: "commit-what-was-polled", what: "the offsets committed are those polled, not those of the rows uploaded",
		kinds: []string{"worker-kill", "worker-kill-at"},
		edits: []edit{{
			"ingest/commit.go", "p := kmsg.NewTxnOffsetCommitRequestTopicPartition()\n\t\t\tp.Partition, p.Offset = r.Partition, r.Next",
			"p := kmsg.NewTxnOffsetCommitRequestTopicPartition()\n\t\t\tp.Partition, p.Offset = r.Partition, r.Next\n\t\t\tif live := s.parts[partitionKey{r.Topic, r.Partition}]; live != nil {\n\t\t\t\tp.Offset = live.next\n\t\t\t}",
		}},
	},
	{
		name: "skip-ownership", what: "a worker keeps rows of partitions that it lost, and commits them when it is a member again",
		kinds: []string{"worker-zombie", "worker-zombie-at", "kafka-cut", "kafka-blackhole"},
		edits: []edit{
			{"ingest/membership.go", `if id == "" || id != s.member {`, `if id == "" {`},
			{"ingest/assign.go", "if sources := s.forget(m); !s.closing && len(sources) > 0 {\n\t\ts.cfg.Sink.Lost(sources)\n\t}", "s.forget(m)"},
		},
	},
	{
		name: "forget-position", what: "the committer takes every record it reads, whatever the table has",
		kinds: []string{"two-committers", "committer-kill-at", "s3-lost", "s3-late"},
		edits: []edit{
			{"lake/plan.go", "if r.Offset < pos.Chunks.Next {\n\t\t\tcontinue\n\t\t}", ""},
			{"lake/position.go", "case equal:", "case equal || below || gap:"},
		},
	},
	{
		name: "reload-inside-commit", what: "a commit that lost the race is made again over the newer version, as catalogs do",
		kinds: []string{"two-committers"},
		edits: []edit{{
			"lake/commit.go", "if next, err = t.settle(ctx, next, c.id, err); err != nil {",
			"if next, err = t.settle(ctx, next, c.id, err); err != nil {\n\t\t\tif newer, loadErr := t.Load(ctx); errors.Is(err, ErrConflict) && loadErr == nil {\n\t\t\t\treturn t.commit(ctx, newer, c)\n\t\t\t}",
		}},
	},
	{
		name: "put-without-condition", what: "the version is written whether or not there is one",
		kinds: []string{"two-committers", "committer-zombie-at"},
		edits: []edit{{"lake/commit.go", "t.store.PutIfAbsent(ctx, t.versionKey(next.N), doc)", "t.store.Put(ctx, t.versionKey(next.N), doc)"}},
	},
	{
		name: "retry-blindly", what: "after an answer that is no success the same files go out again on the newest version",
		kinds: []string{"s3-lost", "s3-late"},
		edits: []edit{{
			"lake/commit.go", "if next, err = t.settle(ctx, next, c.id, err); err != nil {",
			"if newer, loadErr := t.Load(ctx); !errors.Is(err, objects.ErrPrecondition) && loadErr == nil {\n\t\t\treturn t.commit(ctx, newer, c)\n\t\t}\n\t\tif next, err = t.settle(ctx, next, c.id, err); err != nil {",
		}},
	},
	{
		name: "free-a-version", what: "who did not see its commit succeed removes the version, so that its number is free again",
		kinds: []string{"two-committers", "s3-lost"},
		edits: []edit{{
			"lake/commit.go", "if next, err = t.settle(ctx, next, c.id, err); err != nil {",
			"if next, err = t.settle(ctx, next, c.id, err); err != nil {\n\t\t\t_ = t.store.Remove(ctx, t.versionKey(base.N+1))",
		}},
	},
	{
		name: "lower-the-hint", what: "a slow committer moves the version hint down",
		kinds: []string{"two-committers", "committer-zombie-at"},
		edits: []edit{{"lake/hint.go", "if have >= n {", "if have == n {"}},
	},
	{
		name: "forget-the-history", what: "dedup starts empty after an assignment",
		kinds: []string{"worker-kill", "rebalance-storm"},
		edits: []edit{{"ingest/assign.go", "p.history = max(p.history, h.History())", "p.history = min(0, h.History())"}},
	},
	{
		name: "read-uncommitted", what: "records of aborted transactions are archived",
		kinds: []string{"producer-abort", "producer-hang"},
		edits: []edit{{"ingest/config.go", "kgo.FetchIsolationLevel(kgo.ReadCommitted())", "kgo.FetchIsolationLevel(kgo.ReadUncommitted())"}},
	},
	{
		name: "start-at-the-group", what: "a worker begins where its group stands, whatever the table has",
		kinds: []string{"group-reset-to-start"},
		edits: []edit{{"ingest/assign.go", "start := max(committed(offsets, src), floors[i].Offset)", "start := committed(offsets, src)"}},
	},
	{
		name: "believe-the-group", what: "a worker begins past what the table has, if its group stands there",
		kinds: []string{"group-moved-ahead"},
		edits: []edit{{"ingest/floor.go", "if at <= max(f.Offset, first.Offset) {", "if at <= first.Offset || f.Offset >= 0 {"}},
	},
	{
		name: "sweep-by-age", what: "sweep takes whatever is older than the margin",
		kinds: []string{"sweep", "compact"},
		edits: []edit{{"jobs/sweep/sweep.go", "case !sweepable, s.refs.Has(o.Key), s.announced[o.Key]:", "case !sweepable:"}},
	},
}
