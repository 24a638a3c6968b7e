package pseudonym_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coldstream/coldstream/processors/pseudonym"
)

func key(id string, b byte) pseudonym.Key {
	return pseudonym.Key{ID: id, Secret: bytes.Repeat([]byte{b}, pseudonym.MinKey)}
}

func ring(t testing.TB, keys ...pseudonym.Key) *pseudonym.Ring {
	t.Helper()
	r, err := pseudonym.NewRing(keys)
	require.NoError(t, err)
	return r
}

// The definition, by the standard library alone.
func TestPseudonymIsWhatTheDocsSay(t *testing.T) {
	mac := hmac.New(sha256.New, bytes.Repeat([]byte{7}, 32))
	mac.Write([]byte("user\x0041771983423143937"))
	want := "k1:" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
	r := ring(t, key("k1", 7))
	for range 3 { // pooled state does not leak from call to call
		require.Equal(t, want, string(r.Append(nil, 0, "user", []byte("41771983423143937"))))
	}
	require.True(t, r.Is([]byte(want)))
	require.NotEqual(t, want, string(r.Append(nil, 0, "guild", []byte("41771983423143937"))))
}

func TestKeysHoldFromTheirTimeOn(t *testing.T) {
	k2 := key("k2", 9)
	k2.From = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	r := ring(t, key("k1", 7), k2)
	at := k2.From.UnixMicro()
	require.Equal(t, []int{0, 0, 1, 1}, []int{r.KeyAt(-1 << 60), r.KeyAt(at - 1), r.KeyAt(at), r.KeyAt(1 << 60)})
	require.True(t, strings.HasPrefix(string(r.Append(nil, 1, "user", []byte("x"))), "k2:"))
}

func TestKeysThatWillNotDo(t *testing.T) {
	short, early := key("k1", 1), key("k2", 2)
	short.Secret = short.Secret[:31]
	for want, keys := range map[string][]pseudonym.Key{
		"there is none":         nil,
		"k1 has 31 bytes":       {short},
		"has no id":             {key("", 1)},
		"does not begin after":  {key("k1", 1), early},
		"such as `openssl rand": {short},
	} {
		_, err := pseudonym.NewRing(keys)
		require.ErrorContains(t, err, want)
	}
}

func TestIs(t *testing.T) {
	r := ring(t, key("k1", 7))
	p := string(r.Append(nil, 0, "user", []byte("x")))
	for _, text := range []string{"", "k1:", "k2" + p[2:], p + "a", strings.ToUpper(p), p[:len(p)-1] + "1", "x" + p} {
		require.False(t, r.Is([]byte(text)), text)
	}
}

func BenchmarkAppend(b *testing.B) {
	r := ring(b, key("k1", 7))
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = r.Append(dst[:0], 0, "user", []byte("41771983423143937"))
	}
}
