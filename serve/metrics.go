package serve

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics gives the status to Prometheus: coldstream_lag_records and coldstream_lag_seconds by pipeline, and a counter
// for each of the status's.
type metrics struct {
	status func(context.Context) Status
}

var (
	lagRecords = prometheus.NewDesc("coldstream_lag_records", "Records between the last stable offset and what is durable.", []string{"pipeline"}, nil)
	lagSeconds = prometheus.NewDesc("coldstream_lag_seconds", "Age of the oldest record that is not durable yet.", []string{"pipeline"}, nil)
	failing    = prometheus.NewDesc("coldstream_failing", "Parts of this process that do not work now.", nil, nil)
	total      = prometheus.NewDesc("coldstream_total", "What a pipeline has done since the process began, by kind.", []string{"pipeline", "kind"}, nil)
)

// Describe is part of prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range append([]*prometheus.Desc{lagRecords, lagSeconds, failing, total}, chainDescs...) {
		ch <- d
	}
}

// Collect is part of prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	s := m.status(ctx)
	for name, l := range s.Lags {
		ch <- prometheus.MustNewConstMetric(lagRecords, prometheus.GaugeValue, float64(l.Records), name)
		ch <- prometheus.MustNewConstMetric(lagSeconds, prometheus.GaugeValue, l.Seconds, name)
	}
	ch <- prometheus.MustNewConstMetric(failing, prometheus.GaugeValue, float64(len(s.Failing)))
	collectChain(ch, s)
	for key, n := range s.Counters {
		pipeline, kind, _ := strings.Cut(key, ".")
		ch <- prometheus.MustNewConstMetric(total, prometheus.CounterValue, float64(n), pipeline, kind)
	}
}
