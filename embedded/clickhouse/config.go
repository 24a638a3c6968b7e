package clickhouse

import (
	"bytes"
	"embed"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config.xml.tmpl users.xml.tmpl
var templates embed.FS

// What the engine may take, in bytes: all its queries together, and one of them. The first is lowered by the engine to half
// of the machine's memory where there is less.
const (
	engineMemory = 8 << 30
	queryMemory  = 4 << 30
)

// displayName is what the server calls itself.
const displayName = "coldstream"

// sessionDefaults are settings of every connection, where the library's own defaults are those of a command-line tool.
var sessionDefaults = []string{
	"--implicit_select=0",
	"--allow_introspection_functions=0",
}

// tableEngines are the engines a table may have: those that keep their data in the engine's own folder, and those that
// read the configured object store.
var tableEngines = []string{
	"MergeTree", "Memory", "Null", "Buffer", "Set", "Join", "Merge", "Dictionary", "View", "MaterializedView",
	"Log", "StripeLog", "TinyLog", "GenerateRandom", "S3", "Iceberg", "IcebergS3",
}

// newWall refuses every engine of the library that is not in tableEngines, nor a database's own or of the MergeTree family.
func newWall(engines []string, s3 *S3Access) wall {
	w := wall{engines: map[string]bool{}}
	allowed := words(strings.ToLower(strings.Join(tableEngines, " ") + " atomic ordinary replicated"))
	for _, name := range engines {
		if lower := strings.ToLower(name); !allowed[lower] && !strings.HasSuffix(lower, "mergetree") {
			w.engines[lower] = true
		}
	}
	if s3 != nil {
		w.lake = strings.TrimSuffix(s3.Endpoint, "/") + "/" + s3.Bucket + "/"
	}
	return w
}

// writeConfig writes the engine's configuration into its folder and returns its path. It holds the object store's keys
// (mode 0600), no user's password: the users are the front's.
func writeConfig(cfg childConfig) (string, error) {
	dir := filepath.Join(cfg.Dir, "config")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the engine's configuration folder: %w", err)
	}
	data := map[string]any{
		"Users": filepath.Join(dir, "users.xml"), "NoScripts": filepath.Join(dir, "no-scripts"),
		"DisplayName": displayName, "S3": cfg.S3, "Engines": tableEngines,
		"Memory": int64(engineMemory), "QueryMemory": int64(queryMemory),
	}
	parsed, err := template.New("").Funcs(template.FuncMap{"xml": escapeXML}).ParseFS(templates, "*.tmpl")
	if err != nil {
		return "", fmt.Errorf("parse the engine's configuration: %w", err)
	}
	for _, name := range []string{"config.xml", "users.xml"} {
		var text bytes.Buffer
		if err := parsed.ExecuteTemplate(&text, name+".tmpl", data); err != nil {
			return "", fmt.Errorf("write the engine's %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o600); err != nil {
			return "", fmt.Errorf("write the engine's %s: %w", name, err)
		}
	}
	return filepath.Join(dir, "config.xml"), nil
}

func escapeXML(text string) (string, error) {
	var out bytes.Buffer
	err := xml.EscapeText(&out, []byte(text))
	return out.String(), err
}
