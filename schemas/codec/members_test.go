package codec

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalkGoesOverMembersAndElements(t *testing.T) {
	var got []string
	w := WalkOver([]byte(` {"a" : 1, "\u0062":"x\ny", "a":[1, 2],"c":{}, "d":null, "e":true} `))
	for w.Next() {
		got = append(got, string(w.Name().AppendText(nil))+"="+string(w.Value().Raw()))
	}
	require.NoError(t, w.Err())
	require.True(t, w.Object())
	require.Equal(t, []string{"a=1", `b=x\ny`, "a=[1, 2]", "c={}", "d=null", "e=true"}, got)

	var kinds []Kind
	w = WalkOver([]byte(`[null,true,1,"x",[],{}]`))
	for w.Next() {
		kinds = append(kinds, w.Value().Kind())
	}
	require.NoError(t, w.Err())
	require.False(t, w.Object())
	require.Equal(t, []Kind{Null, Boolean, Number, String, Array, Object}, kinds)

	doc := []byte(`{"a":1,"b":"x","c":[1,2,{"d":3}]}`)
	n := testing.AllocsPerRun(100, func() {
		for w := WalkOver(doc); w.Next(); {
		}
	})
	require.Zero(t, n)
}

// A walk to the end and encoding/json agree on what is a document; strings are those of encoding/json.
func FuzzWalk(f *testing.F) {
	for _, doc := range []string{
		"", "{}", "[]", "{", `{"a":1}`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `[1,2`, `[1 2]`, `{"a":1}}`, `{"a":1} x`, `[[],{}]`, `["\ud83d\ude00","\ud83d","\ude00",` + "\"\xff\"]",
		`[01]`, `[-]`, `[1e5,1E+5,-0.5]`, "[\"\x01\"]", `["\x"]`, `[nul]`, "\ufeff{}",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		w := WalkOver(doc)
		for w.Next() {
			if v := w.Value(); v.Kind() == String {
				var want string
				if err := json.Unmarshal([]byte(`"`+string(v.Raw())+`"`), &want); err != nil || string(v.AppendText(nil)) != want || v.Plain() && string(v.Raw()) != want {
					t.Fatalf("%q is %q, want %q (%v)", v.Raw(), v.AppendText(nil), want, err)
				}
			}
		}
		deep := strings.Count(string(doc), "[")+strings.Count(string(doc), "{") > maxDepth
		head := strings.TrimLeft(string(doc), " \t\r\n")
		if want := json.Valid(doc) && head != "" && (head[0] == '{' || head[0] == '['); (w.Err() == nil) != want && !deep {
			t.Fatalf("%q: %v, encoding/json says %v", doc, w.Err(), want)
		}
	})
}
