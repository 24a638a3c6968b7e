package clickhouse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStatement(t *testing.T) {
	for text, want := range map[string]struct {
		verb, format, sql, rows string
		insert                  bool
	}{
		"SELECT 1":               {"SELECT", "", "SELECT 1", "", false},
		"select 1 ; ":            {"SELECT", "", "select 1 ", "", false},
		"(SELECT 1) FORMAT JSON": {"SELECT", "JSON", "(SELECT 1) FORMAT JSON", "", false},
		"SELECT 1 FORMAT CSV SETTINGS max_threads=1;":           {"SELECT", "CSV", "SELECT 1 FORMAT CSV SETTINGS max_threads=1", "", false},
		"SELECT ';', \";\", `;` -- ; \n":                        {"SELECT", "", "SELECT ';', \";\", `;` -- ; \n", "", false},
		"SELECT 'it''s; \\'' FROM t":                            {"SELECT", "", "SELECT 'it''s; \\'' FROM t", "", false},
		"SELECT $$ ; $$, $a$ ; $$ $a$":                          {"SELECT", "", "SELECT $$ ; $$, $a$ ; $$ $a$", "", false},
		"INSERT INTO t VALUES (1);":                             {"INSERT", "Values", "INSERT INTO t ", " (1);", true},
		"INSERT INTO values VALUES (1)":                         {"INSERT", "Values", "INSERT INTO values ", " (1)", true},
		"INSERT INTO format VALUES (1)":                         {"INSERT", "Values", "INSERT INTO format ", " (1)", true},
		"INSERT INTO d.values (values) VALUES (1)":              {"INSERT", "Values", "INSERT INTO d.values (values) ", " (1)", true},
		"INSERT INTO t FORMAT Values (1)":                       {"INSERT", "Values", "INSERT INTO t ", "(1)", true},
		"INSERT INTO t FORMAT RowBinary\n\n\x00":                {"INSERT", "RowBinary", "INSERT INTO t ", "\n\x00", true},
		"INSERT INTO t FORMAT TSV \r\n1":                        {"INSERT", "TSV", "INSERT INTO t ", "1", true},
		"INSERT INTO t FORMAT CSV SETTINGS a = 1, b = '|'\n1|2": {"INSERT", "CSV", "INSERT INTO t  SETTINGS a = 1, b = '|'", "1|2", true},
		"INSERT INTO t SETTINGS async_insert=0 VALUES(1)":       {"INSERT", "Values", "INSERT INTO t SETTINGS async_insert=0 ", "(1)", true},
		"INSERT INTO t":                                         {"INSERT", "", "INSERT INTO t", "", true},
		"INSERT INTO t SELECT 1 FORMAT CSV":                     {"INSERT", "CSV", "INSERT INTO t SELECT 1 FORMAT CSV", "", false},
		"INSERT INTO t (a) WITH 1 AS x SELECT x":                {"INSERT", "", "INSERT INTO t (a) WITH 1 AS x SELECT x", "", false},
		"INSERT INTO t (SELECT 1)":                              {"INSERT", "", "INSERT INTO t (SELECT 1)", "", false},
		"INSERT INTO t SELECT * FROM values('a', 1)":            {"INSERT", "", "INSERT INTO t SELECT * FROM values('a', 1)", "", false},
		"/* FORMAT x */ INSERT INTO t -- VALUES\nVALUES (1)":    {"INSERT", "Values", "/* FORMAT x */ INSERT INTO t -- VALUES\n", " (1)", true},
	} {
		got, err := parseStatement(text)
		require.NoError(t, err, text)
		require.Equal(t, want.verb, got.verb, text)
		require.Equal(t, want.format, got.format, text)
		require.Equal(t, want.sql, got.sql, text)
		require.Equal(t, want.insert, got.insert, text)
		if want.insert {
			require.Equal(t, want.rows, text[got.data:], text)
		}
	}
	for _, text := range []string{"", " ", ";", "-- only a comment", "SELECT 1; SELECT 2", "SELECT 1;;DROP TABLE t", "SET a = 1; SELECT 1"} {
		_, err := parseStatement(text)
		require.ErrorContains(t, err, "Code: 62.", text)
	}
}

// FuzzParseStatement holds the reader of statements to its bounds.
func FuzzParseStatement(f *testing.F) {
	for _, text := range []string{"SELECT 'a", "INSERT INTO t FORMAT CSV SETTINGS", "$a$ $a", "`\\", "/*", "((", "INSERT INTO t VALUES", "--"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStatement(text)
		if err == nil && (s.data < 0 || s.data > len(text)) {
			t.Fatalf("rows begin at %d of %d", s.data, len(text))
		}
		if err == nil {
			_ = (&wall{}).refuse(s.tokens)
		}
	})
}
