package infra_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/chhttp"
	"github.com/coldstream/coldstream/internal/testkit"
	"github.com/coldstream/coldstream/jobs/activity"
	"github.com/coldstream/coldstream/schemas"
	"github.com/coldstream/coldstream/schemas/clickhouse"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// dashboard is what the tests look at of Grafana's JSON.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []panel
}

type panel struct {
	Type, Title string
	Datasource  struct{ UID string }
	Targets     []struct{ RawSQL, Expr string }
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob("grafana/dashboards/*.json")
	require.NoError(t, err)
	require.Len(t, files, 2)
	all := make([]dashboard, len(files))
	for i, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // ours
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &all[i]), name)
	}
	return all
}

// queries are all SQL of the dashboards, by title, with macros and variables replaced as the data source documents it.
func queries(t *testing.T) map[string]string {
	t.Helper()
	filter := regexp.MustCompile(`\$__timeFilter\(((?:[^()]|\([^()]*\))*)\)`)
	all := map[string]string{}
	add := func(title, sql string) {
		sql = filter.ReplaceAllString(sql, "($1 >= toDateTime(1793491200) AND $1 <= toDateTime(1796083200))") // November 2026
		sql = strings.NewReplacer("${guild:csv}", "100,101", "${word:singlequote}", `'deploy "rolled back"'`).Replace(sql)
		require.NotContains(t, sql, "$", title)
		require.NotContains(t, all, title)
		all[title] = sql
	}
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				add(d.Title+", variable "+v.Name, v.Query)
			}
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				require.NotEqual(t, target.RawSQL == "", target.Expr == "", p.Title)
				if target.RawSQL != "" {
					add(d.Title+": "+p.Title, target.RawSQL)
				}
			}
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// TestDashboardsAskWhatClickHouseAnswers runs every panel's SQL as the analyst. Grafana itself has not been tried.
func TestDashboardsAskWhatClickHouseAnswers(t *testing.T) {
	a := testkit.ClickHouse(t)
	owner := a.Client(t, a.User, a.Password)
	_, err := clickhouse.Migrate(t.Context(), owner, clickhouse.Params{Epoch: schemas.DiscordEpoch})
	require.NoError(t, err)
	for _, sql := range []string{
		`INSERT INTO state (channel_id, inv, week, author, content, search, deleted)
SELECT 5 + number % 2, -(snowflakeAt('2026-11-02 09:00:00') + number * 4194304 * 3600000), 20261102, (0, number, 0, 7 + number % 3, '', 1, snowflakeTime(snowflakeAt('2026-11-02 09:00:00') + number * 4194304 * 3600000)),
(0, number, 0, 'the deploy was rolled back', 0), (0, number, 0, searchIndexed('the deploy was rolled back')), (if(number % 5 = 0, 1, -1), number, 0, number % 5 = 0, 0) FROM numbers(100)`,
		"INSERT INTO channels VALUES (100, 5, '', ''), (101, 6, '', '')", "INSERT INTO names VALUES ('channel', 5, '', 'general', 1)",
	} {
		require.NoError(t, owner.Exec(t.Context(), sql))
	}
	job, err := activity.New(activity.Config{Shards: []*chhttp.Client{owner}})
	require.NoError(t, err)
	_, err = job.Step(t.Context())
	require.NoError(t, err)
	analyst := a.Client(t, a.AnalystUser, a.AnalystPassword)
	empty := regexp.MustCompile(`Merges under way|Mutations not done|Errors since`)
	for title, sql := range queries(t) {
		rows, err := analyst.Query(t.Context(), sql)
		require.NoError(t, err, "%s\n%s", title, sql)
		if !empty.MatchString(title) {
			require.NotEmpty(t, string(rows), "%s\n%s", title, sql)
		}
	}
	for title, want := range map[string]string{
		"Coldstream: community: Messages": "80\n", "Coldstream: community: People who wrote": "3\n", "Coldstream: community: Deleted": "20\n",
	} {
		rows, err := analyst.Query(t.Context(), queries(t)[title])
		require.NoError(t, err)
		require.Equal(t, want, string(rows), title)
	}
}

// TestDashboardsReadWhatTheAnalystMay holds the system tables that panels read to the grants of the server's analyst.
func TestDashboardsReadWhatTheAnalystMay(t *testing.T) {
	users, err := os.ReadFile("clickhouse/users.d/coldstream.xml")
	require.NoError(t, err)
	for title, sql := range queries(t) {
		for _, table := range regexp.MustCompile(`system\.\w+`).FindAllString(sql, -1) {
			require.Contains(t, string(users), "<query>GRANT SELECT ON "+table+"</query>", title)
		}
	}
}

// TestGrafanaIsProvisioned holds the files that Grafana starts with to where docker-compose.yml puts them, and to one another.
func TestGrafanaIsProvisioned(t *testing.T) {
	var sources struct {
		Datasources []struct {
			UID, Type, URL string
			JSONData       struct {
				Host            string
				Port            uint32
				Username        string
				DefaultDatabase string `yaml:"defaultDatabase"`
			} `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		}
	}
	parse(t, "grafana/datasources.yml", &sources)
	project := load(t)
	uids := map[string]bool{}
	for _, s := range sources.Datasources {
		uids[s.UID] = true
		if s.Type == "grafana-clickhouse-datasource" {
			require.Contains(t, project.Services[s.JSONData.Host].Environment, "CLICKHOUSE_ANALYST_PASSWORD")
			require.EqualValues(t, 8123, s.JSONData.Port)
			require.Equal(t, "coldstream", s.JSONData.DefaultDatabase)
			require.Equal(t, "$CLICKHOUSE_ANALYST_PASSWORD", s.SecureJSONData["password"])
		}
	}
	require.Equal(t, map[string]bool{"prometheus": true, "clickhouse": true}, uids)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			require.True(t, p.Type == "row" || uids[p.Datasource.UID], p.Title)
		}
	}
	grafana := project.Services["grafana"]
	require.Contains(t, *grafana.Environment["GF_PLUGINS_PREINSTALL_SYNC"], "grafana-clickhouse-datasource")
	require.NotNil(t, grafana.Environment["CLICKHOUSE_ANALYST_PASSWORD"], "the data source's password comes from it")
	var provider struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	parse(t, "grafana/dashboards.yml", &provider)
	require.Len(t, provider.Providers, 1)
	for target, source := range map[string]string{
		"/etc/grafana/provisioning/datasources/coldstream.yml": "datasources.yml", "/etc/grafana/provisioning/dashboards/coldstream.yml": "dashboards.yml",
		provider.Providers[0].Options.Path: "dashboards",
	} {
		require.True(t, mounts(grafana, source, target), "%s is not mounted at %s", source, target)
	}
}

func mounts(service types.ServiceConfig, source, target string) bool {
	for _, v := range service.Volumes {
		if v.Target == target && v.ReadOnly && strings.HasSuffix(v.Source, filepath.Join("infra", "grafana", source)) {
			_, err := os.Stat(v.Source)
			return err == nil
		}
	}
	return false
}
