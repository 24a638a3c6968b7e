package clickhouse_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// curl runs the stock curl; it returns what came and the HTTP code.
func curl(t *testing.T, stdin string, args ...string) (body, code string, exit int) {
	t.Helper()
	cmd := exec.Command("curl", append([]string{"-s", "-w", "\n%{http_code}"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, _ := cmd.Output()
	i := strings.LastIndex(string(out), "\n")
	require.GreaterOrEqual(t, i, 0, "curl wrote nothing")
	return string(out[:i]), string(out[i+1:]), cmd.ProcessState.ExitCode()
}

func TestCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	base := "http://" + shared.Addr() + "/"
	login := []string{"-u", user + ":" + password}
	with := func(args ...string) []string { return append(append([]string{}, login...), args...) }

	body, code, _ := curl(t, "", base+"ping")
	require.Equal(t, "Ok.\n 200", body+" "+code)
	body, code, _ = curl(t, "", with("-G", base, "--data-urlencode", "query=SELECT 1, 'a\tb'")...)
	require.Equal(t, "1\ta\\tb\n 200", body+" "+code, "GET, TabSeparated")
	body, code, _ = curl(t, "SELECT 1 AS one FORMAT JSONEachRow", with(base, "--data-binary", "@-")...)
	require.Equal(t, "{\"one\":1}\n 200", body+" "+code, "POST")
	body, _, _ = curl(t, "", with(base, "-d", "SELECT number FROM numbers(2) FORMAT JSON")...)
	require.Contains(t, body, `"rows": 2`)
	_, code, _ = curl(t, "CREATE TABLE by_curl (a UInt64, s String) ENGINE = MergeTree ORDER BY a", with(base, "--data-binary", "@-")...)
	require.Equal(t, "200", code)
	_, code, _ = curl(t, "1,\"x\"\n2,\"y\"\n", with(base+"?query=INSERT%20INTO%20by_curl%20FORMAT%20CSV", "--data-binary", "@-")...)
	require.Equal(t, "200", code)
	_, code, _ = curl(t, "(3,'z')", with(base+"?query=INSERT%20INTO%20by_curl%20VALUES", "-H", "Transfer-Encoding: chunked", "--data-binary", "@-")...)
	require.Equal(t, "200", code)
	body, _, _ = curl(t, "", with(base, "-d", "SELECT * FROM by_curl ORDER BY a")...)
	require.Equal(t, "1\tx\n2\ty\n3\tz\n", body)
	body, _, _ = curl(t, "", with("--compressed", base+"?enable_http_compression=1", "-d", "SELECT sum(a) FROM by_curl")...)
	require.Equal(t, "6\n", body)

	body, code, exit := curl(t, "", with(base, "-d", "SELEC 1")...)
	require.Equal(t, "400 0", code+" "+string(rune('0'+exit)))
	require.True(t, strings.HasPrefix(body, "Code: 62. DB::Exception: Syntax error: "), body)
	_, _, exit = curl(t, "", with("-f", base, "-d", "SELEC 1")...)
	require.Equal(t, 22, exit)
	body, code, _ = curl(t, "", "-u", user+":wrong", base, "-d", "SELECT 1")
	require.Equal(t, "403", code)
	require.Contains(t, body, "Code: 516. DB::Exception: ")
	_, code, _ = curl(t, "", base, "-d", "SELECT 1")
	require.Equal(t, "401", code)
	_, _, exit = curl(t, "", with(base, "-d", "SELECT throwIf(number = 3000000), number FROM numbers(10000000)")...)
	require.Equal(t, 18, exit, "a body that broke off")
}
