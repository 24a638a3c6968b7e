package infra_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/internal/config"
)

const example = "example.env"

// load reads docker-compose.yml as the engine would, with the values of the example, optional services included.
func load(t *testing.T) *types.Project {
	t.Helper()
	file, err := filepath.Abs("../docker-compose.yml")
	require.NoError(t, err)
	env, err := filepath.Abs(example)
	require.NoError(t, err)
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithEnvFiles(env), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, project.Services)
	return project
}

func TestComposeNeedsPasswords(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"})
	require.NoError(t, err)
	_, err = options.LoadProject(t.Context())
	require.ErrorContains(t, err, "copy infra/example.env to .env")
}

func TestMountedFilesExist(t *testing.T) {
	mounted := 0
	for name, service := range load(t).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			mounted++
			info, err := os.Stat(volume.Source)
			require.NoError(t, err, name)
			if info.IsDir() {
				files, err := os.ReadDir(volume.Source)
				require.NoError(t, err, name)
				require.NotEmpty(t, files, "%s mounts %s, which is empty", name, volume.Source)
			}
			require.True(t, volume.ReadOnly, "%s can write to %s", name, volume.Source)
		}
	}
	require.NotZero(t, mounted)
}

func TestPortsAreOnLoopback(t *testing.T) {
	taken := map[string]string{}
	for name, service := range load(t).Services {
		for _, port := range service.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s publishes %s", name, port.Published)
			require.Empty(t, taken[port.Published], "%s publishes %s too", name, port.Published)
			taken[port.Published] = name
		}
	}
	require.NotEmpty(t, taken)
}

func TestImagesArePinned(t *testing.T) {
	for name, service := range load(t).Services {
		_, tag, found := strings.Cut(service.Image, ":")
		require.True(t, found && tag != "latest", "%s runs %s", name, service.Image)
	}
}

// TestConfigurationFitsTheServices loads coldstream.yaml with the environment of each service that reads it, and holds
// its addresses to services of the file and ports they listen on.
func TestConfigurationFitsTheServices(t *testing.T) {
	project := load(t)
	for _, name := range []string{"init", "coldstream"} {
		service := project.Services[name]
		loaded, err := config.Load("coldstream.yaml", func(key string) (string, bool) {
			value := service.Environment[key]
			if value == nil {
				return "", false
			}
			return *value, true
		})
		require.NoError(t, err)
		require.NoError(t, loaded.Need(true, true, true))
		require.Equal(t, []string{"kafka:9092"}, loaded.Kafka.Brokers)
		require.Equal(t, *project.Services["minio"].Environment["MINIO_ROOT_USER"], loaded.S3.AccessKey)
		require.Equal(t, *project.Services["minio"].Environment["MINIO_ROOT_PASSWORD"], loaded.S3.SecretKey)
		require.Equal(t, *project.Services["clickhouse"].Environment["CLICKHOUSE_USER"], loaded.ClickHouse.User)
		require.Equal(t, *project.Services["clickhouse"].Environment["CLICKHOUSE_PASSWORD"], loaded.ClickHouse.Password)
		for _, address := range []string{loaded.S3.Endpoint, loaded.ClickHouse.Addr} {
			host, port, _ := strings.Cut(address, ":")
			require.True(t, publishes(project.Services[host], port), "no service listens on %s", address)
		}
		require.True(t, slices.ContainsFunc(service.Volumes, func(volume types.ServiceVolumeConfig) bool {
			return volume.Target == loaded.Data
		}), "%s keeps nothing of %s", name, loaded.Data)
	}
	_, port, _ := strings.Cut(must(config.Load("coldstream.yaml", nothing)).HTTP.Addr, ":")
	require.True(t, publishes(project.Services["coldstream"], port))
}

func publishes(service types.ServiceConfig, port string) bool {
	return slices.ContainsFunc(service.Ports, func(p types.ServicePortConfig) bool { return p.Published == port })
}

func nothing(string) (string, bool) { return "", false }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
