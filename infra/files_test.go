package infra_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestPrometheusScrapesServices holds the addresses that Prometheus scrapes to services of docker-compose.yml.
func TestPrometheusScrapesServices(t *testing.T) {
	var file struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	parse(t, "prometheus/prometheus.yml", &file)
	project := load(t)
	targets := 0
	for _, job := range file.ScrapeConfigs {
		for _, static := range job.StaticConfigs {
			for _, target := range static.Targets {
				targets++
				host, _, err := net.SplitHostPort(target)
				require.NoError(t, err)
				require.Contains(t, project.Services, host)
			}
		}
	}
	require.NotZero(t, targets)
	for _, rules := range file.RuleFiles {
		require.FileExists(t, filepath.Join("prometheus", rules))
	}
}

// TestAlertsSayWhatToDo wants of each alert an expression, a severity, and a sentence for whoever is woken by it.
func TestAlertsSayWhatToDo(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	parse(t, "prometheus/alerts.yml", &file)
	require.NotEmpty(t, file.Groups)
	seen := map[string]bool{}
	for _, rule := range file.Groups[0].Rules {
		require.False(t, seen[rule.Alert], rule.Alert)
		seen[rule.Alert] = true
		require.NotEmpty(t, rule.Expr, rule.Alert)
		require.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["description"], rule.Alert)
	}
}

func TestClickHouseFilesAreXML(t *testing.T) {
	for _, name := range []string{"clickhouse/config.d/coldstream.xml", "clickhouse/users.d/coldstream.xml"} {
		file, err := os.Open(name)
		require.NoError(t, err)
		decoder := xml.NewDecoder(file)
		for err == nil {
			_, err = decoder.Token()
		}
		require.True(t, errors.Is(err, io.EOF), "%s: %v", name, err)
		require.NoError(t, file.Close())
	}
}

// TestKafkaListeners holds what the broker says of itself to where the other services and the machine look for it.
func TestKafkaListeners(t *testing.T) {
	text, err := os.ReadFile("kafka/compose.properties")
	require.NoError(t, err)
	properties := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), "="); found && !strings.HasPrefix(key, "#") {
			properties[key] = value
		}
	}
	port := load(t).Services["kafka"].Ports[0]
	require.Equal(t, "PLAINTEXT://kafka:9092,HOST://"+port.HostIP+":"+port.Published, properties["advertised.listeners"])
	require.Contains(t, properties["listeners"], "HOST://:19092")
	require.Equal(t, uint32(19092), port.Target)
	require.Equal(t, "false", properties["auto.create.topics.enable"])
}

func parse(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), name)
}
