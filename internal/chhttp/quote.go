package chhttp

import "strings"

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Quote is s as a string literal of ClickHouse's SQL.
func Quote(s string) string { return "'" + escapes.Replace(s) + "'" }
