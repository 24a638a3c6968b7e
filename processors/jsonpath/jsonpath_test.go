package jsonpath_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/processors/jsonpath"
)

func paths(t testing.TB, list ...string) *jsonpath.Paths {
	t.Helper()
	p := &jsonpath.Paths{}
	for _, path := range list {
		require.NoError(t, p.Add(path))
	}
	return p
}

// stars replaces every value by its path's number and its text.
func stars(dst []byte, path int, text []byte) ([]byte, bool) {
	return append(append(dst, byte('0'+path), ':'), text...), true
}

func TestReplace(t *testing.T) {
	const doc = ` {"a": {"b" :"x","c":[1, "y\n", {"d":true,"e":null}]},"n":"z", "a.b": "q", "\u0061":"twice"} `
	for _, c := range []struct {
		want  string
		paths []string
	}{
		{` {"a": {"b" :"0:x","c":[1, "y\n", {"d":true,"e":null}]},"n":"1:z", "a.b": "q", "\u0061":"twice"} `, []string{"$.a.b", "$.n"}},
		{` {"a": {"b" :"x","c":["0:1", "0:y\n", {"d":true,"e":null}]},"n":"z", "a.b": "q", "\u0061":"twice"} `, []string{"$.a.c[*]"}},
		{` {"a": {"b" :"x","c":[1, "y\n", {"d":"0:true","e":null}]},"n":"z", "a.b": "1:q", "\u0061":"twice"} `, []string{"$.a.c[*].d", "$['a.b']", "$.a.c[*].e"}},
		{` {"a": {"b" :"0:x","c":["0:1", "0:y\n", {"d":"0:true","e":null}]},"n":"0:z", "a.b": "0:q", "\u0061":"0:twice"} `, []string{"$..*"}},
		{` {"a": {"b" :"x","c":[1, "y\n", {"d":true,"e":null}]},"n":"1:z", "a.b": "1:q", "\u0061":"0:twice"} `, []string{"$.a", "$.*"}},
		{doc, []string{"$.nowhere.b", "$.a.b.c", "$.n[*]"}},
	} {
		got := paths(t, c.paths...).Replace([]byte("="), []byte(doc), stars)
		require.Equal(t, "="+c.want, string(got), c.paths)
	}
}

func TestReplaceLeavesWhatIsNoDocument(t *testing.T) {
	p := paths(t, "$.a", "$..*")
	for _, doc := range []string{"", "{", `{"a":"x"`, `{"a" "x"}`, `{"a":"x}`, "[,]", `{"a":}`} {
		require.Equal(t, doc, string(p.Replace(nil, []byte(doc), stars)), doc)
	}
	deep := bytes.Repeat([]byte("["), 1000)
	require.Equal(t, deep, p.Replace(nil, deep, stars))
}

func TestAddSaysWhatIsWrong(t *testing.T) {
	p := &jsonpath.Paths{}
	for path, want := range map[string]string{
		"a.b": "begins with $", "$": "the whole document", "$.": "is understood", "$..a": "is understood", "$..*.a": "nothing may follow", "$['a": "not closed", "$[0]": "is understood", "$.a[": "is understood",
	} {
		require.ErrorContains(t, p.Add(path), want, path)
	}
}

func FuzzReplace(f *testing.F) {
	f.Add(`{"a":{"b":["x",1,true,null,{"c":"d\u00e9"}]}}`)
	f.Add(`{"a":"\ud800","b":[[[]]]}`)
	p := paths(f, "$.a.b[*]", "$.a.b[*].c", "$..*")
	f.Fuzz(func(t *testing.T, doc string) {
		got := p.Replace(nil, []byte(doc), stars)
		if json.Valid([]byte(doc)) && !json.Valid(got) {
			t.Fatalf("%q became %q", doc, got)
		}
		same := p.Replace(nil, []byte(doc), func(dst []byte, _ int, text []byte) ([]byte, bool) { return append(dst, text...), false })
		if string(same) != doc {
			t.Fatalf("%q became %q though nothing differs", doc, same)
		}
	})
}
