package serve

import "github.com/prometheus/client_golang/prometheus"

var (
	stageLabels  = []string{"pipeline", "stage"}
	stageIn      = prometheus.NewDesc("coldstream_stage_events_in_total", "Events that came to a stage of the chain.", stageLabels, nil)
	stageOut     = prometheus.NewDesc("coldstream_stage_events_out_total", "Events that went on from it.", stageLabels, nil)
	stageDropped = prometheus.NewDesc("coldstream_stage_events_dropped_total", "Events that it took out, by reason; refused: dead letters.", append(stageLabels, "reason"), nil)
	stageFailed  = prometheus.NewDesc("coldstream_stage_failures_total", "Batches that it could not do, which were read again.", stageLabels, nil)
	stageSeconds = prometheus.NewDesc("coldstream_stage_seconds_total", "Time that it took.", stageLabels, nil)
	found        = prometheus.NewDesc("coldstream_redaction_found_total", "Values that redaction found, by type.", []string{"pipeline", "type"}, nil)
	policy       = prometheus.NewDesc("coldstream_policy_version", "Version of the policy in force.", nil, nil)

	chainDescs = []*prometheus.Desc{stageIn, stageOut, stageDropped, stageFailed, stageSeconds, found, policy}
)

// collectChain gives what the chains have done.
func collectChain(ch chan<- prometheus.Metric, s Status) {
	count := func(d *prometheus.Desc, n float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, n, labels...)
	}
	for _, st := range s.Stages {
		count(stageIn, float64(st.In), st.Pipeline, st.Stage)
		count(stageOut, float64(st.Out), st.Pipeline, st.Stage)
		count(stageFailed, float64(st.Failed), st.Pipeline, st.Stage)
		count(stageSeconds, st.Seconds, st.Pipeline, st.Stage)
		for reason, n := range st.Dropped {
			count(stageDropped, float64(n), st.Pipeline, st.Stage, reason)
		}
	}
	for _, f := range s.Found {
		count(found, float64(f.Values), f.Pipeline, f.Type)
	}
	ch <- prometheus.MustNewConstMetric(policy, prometheus.GaugeValue, float64(s.Policy))
}
