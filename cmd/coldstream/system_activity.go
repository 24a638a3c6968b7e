package main

import (
	"context"
	"time"

	"github.com/coldstream/coldstream/jobs/activity"
)

// partActivity counts messages and people by hour and channel; it runs where the resolver does.
const partActivity = "activity"

// runActivity counts until ctx ends.
func (s *system) runActivity(ctx context.Context) error {
	shards, err := openShards(s.cfg)
	if err != nil {
		return err
	}
	defer closeAll(shards)
	job, err := activity.New(activity.Config{Shards: shards, Every: s.cfg.Hot.Activity, Log: s.log, Told: func(err error) {
		if err != nil {
			s.keeper.passing(partActivity, err)
		}
	}})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.activity = job
	s.mu.Unlock()
	return job.Run(ctx)
}

// activityCounters are what the job has done since this process began.
func activityCounters(j *activity.Job, to map[string]int64) {
	st := j.Stats()
	to["activity.steps"], to["activity.hours"], to["activity.failures"] = st.Steps, st.Hours, st.Failures
	to["activity.last_step_ms"] = int64(st.Took / time.Millisecond)
}
