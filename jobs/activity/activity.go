// Package activity keeps the rollups of the hot store: messages and active users by hour and channel.
//
// A materialised view over inserts would count a redelivery twice and never take a deleted message away. Here such a view
// only notes which hours of which channels an insert has touched, and [Job] counts these again from the state, where each
// message is there once, as it is now. So a count is exact for what ClickHouse held when it began, and an insert costs a row
// for each hour and channel in it.
//
// An insert notes its hours when it begins and is seen when it ends. An hour that was counted in between is counted once
// more when no insert can be under way any longer (Settle). The notes are durable: what a job that died had not counted, the
// next one counts; two at once do no harm. An error of ClickHouse leaves the notes, and the next step tries again.
package activity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coldstream/coldstream/internal/chhttp"
)

// Config says what to count and how often.
type Config struct {
	// Shards are clients of the databases with the state, one a shard.
	Shards []*chhttp.Client
	// Every is the pause between two steps; a step that took long is followed by a pause of ten times as long. Default 1 minute.
	Every time.Duration
	// Settle is how long after its beginning an insert may still become visible. Default 2 minutes: the sink lets an insert take one.
	Settle time.Duration
	// Told is called after each step of Run that failed or worked (nil). May be nil.
	Told func(error)
	Log  *slog.Logger // default: none
}

// Stats is what a job has done since it was made.
type Stats struct {
	Steps, Hours, Failures int64
	Took                   time.Duration // of the last step
}

// Job counts. Step is for one goroutine at a time, Stats for any.
type Job struct {
	config                       Config
	steps, hours, failures, took atomic.Int64
}

// New checks the configuration; it does no I/O.
func New(c Config) (*Job, error) {
	if len(c.Shards) == 0 {
		return nil, errors.New("activity: no ClickHouse client")
	}
	if c.Every < 0 || c.Settle < 0 {
		return nil, errors.New("activity: a pause below zero")
	}
	if c.Every == 0 {
		c.Every = time.Minute
	}
	if c.Settle == 0 {
		c.Settle = 2 * time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Job{config: c}, nil
}

// Stats reads the counters.
func (j *Job) Stats() Stats {
	return Stats{Steps: j.steps.Load(), Hours: j.hours.Load(), Failures: j.failures.Load(), Took: time.Duration(j.took.Load())}
}

// Run counts again and again until ctx ends.
func (j *Job) Run(ctx context.Context) error {
	for {
		_, err := j.Step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			j.config.Log.Warn("activity was not counted; the next step tries again", "error", err)
		}
		if j.config.Told != nil {
			j.config.Told(err)
		}
		pause := time.NewTimer(max(j.config.Every, 10*j.Stats().Took))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// Step counts the hours that were touched since they were counted last, and returns how many there were.
func (j *Job) Step(ctx context.Context) (hours int64, err error) {
	began := time.Now()
	for _, c := range j.config.Shards {
		n, failed := j.shard(ctx, c)
		hours += n
		err = errors.Join(err, failed)
	}
	j.steps.Add(1)
	j.hours.Add(hours)
	j.took.Store(int64(time.Since(began)))
	if err != nil {
		j.failures.Add(1)
	}
	return hours, err
}

// day is a day with hours to count.
type day struct {
	Day   string `json:"day"`
	First string `json:"first"` // hours
	Last  string `json:"last"`
	Hours int64  `json:"hours"`
	Now   string `json:"now"` // of the server
}

// pending is the condition for notes that call for a count: something was written since, or what was under way at the
// last count has now settled.
func (j *Job) pending() string {
	s := fmt.Sprintf("INTERVAL %d MILLISECOND", j.config.Settle.Milliseconds())
	return "touched > computed - " + s + " AND (touched > computed OR touched <= now64(3, 'UTC') - " + s + ")"
}

func (j *Job) shard(ctx context.Context, c *chhttp.Client) (hours int64, err error) {
	// The server's clock is read before anything is counted: what is noted later is later.
	days, err := chhttp.Select[day](ctx, c, "SELECT toString(toDate(hour)) AS day, toString(min(hour)) AS first, toString(max(hour)) AS last, count() AS hours, toString(any(now64(3, 'UTC'))) AS now FROM activity_touched FINAL WHERE "+
		j.pending()+" GROUP BY day ORDER BY day DESC")
	if err != nil {
		return 0, fmt.Errorf("count activity: read what was touched: %w", err)
	}
	for i := range days {
		if err := j.count(ctx, c, &days[i]); err != nil {
			return hours, fmt.Errorf("count activity of %s: %w", days[i].Day, err)
		}
		hours += days[i].Hours
	}
	return hours, nil
}

// count counts a day's touched hours, and notes that it did.
func (j *Job) count(ctx context.Context, c *chhttp.Client, d *day) error {
	touched := fmt.Sprintf("FROM activity_touched FINAL WHERE hour >= toDateTime('%s', 'UTC') AND hour <= toDateTime('%s', 'UTC') AND %s", d.First, d.Last, j.pending())
	const hourOf = "toStartOfHour(toDateTime(snowflakeTime(-s.inv), 'UTC'))"
	err := c.Exec(ctx, `INSERT INTO activity_hours (channel_id, hour, messages, edited, deleted, users, computed)
SELECT s.channel_id, `+hourOf+` AS h, countIf(seen), countIf(seen AND tupleElement(s.content, 'rank') = 1), countIf(tupleElement(s.author, 'rank') >= 0 AND NOT seen),
    uniqExactStateIf(tupleElement(s.author, 'id'), seen AND tupleElement(s.author, 'known') = 1), toDateTime64('`+d.Now+`', 3, 'UTC')
FROM (SELECT *, tupleElement(author, 'rank') >= 0 AND tupleElement(deleted, 'flag') = 0 AS seen FROM state FINAL
    WHERE channel_id IN (SELECT channel_id `+touched+`)
    AND inv > -snowflakeAt(toDateTime('`+d.Last+`', 'UTC') + INTERVAL 1 HOUR) AND inv <= -snowflakeAt(toDateTime('`+d.First+`', 'UTC'))) AS s
WHERE (s.channel_id, h) IN (SELECT channel_id, hour `+touched+`)
GROUP BY s.channel_id, h
SETTINGS max_partitions_per_insert_block = 0, async_insert = 0`)
	if err != nil {
		return err
	}
	return c.Exec(ctx, "INSERT INTO activity_touched (channel_id, hour, touched, computed) SELECT channel_id, hour, touched, toDateTime64('"+d.Now+"', 3, 'UTC') "+touched+" SETTINGS async_insert = 0")
}
