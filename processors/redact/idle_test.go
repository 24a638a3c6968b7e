package redact

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing is looked for where the policy looks for nothing; a type that is only kept is looked for.
func TestAPolicyThatLooksForNothing(t *testing.T) {
	text := []byte("mail bob@example.com about bluebird")
	for name, c := range map[string]struct {
		p    Policy
		want int
		idle bool
	}{
		"nothing":      {Policy{Off: Types()}, 0, true},
		"all":          {Policy{}, 1, false},
		"kept":         {Policy{Actions: map[Type]Action{Email: Keep}}, 1, false},
		"one's own":    {Policy{Off: Types(), Detectors: []Detector{{Name: "project", Literals: []string{"bluebird"}}}}, 1, false},
		"own, kept":    {Policy{Off: Types(), Detectors: []Detector{{Name: "project", Literals: []string{"bluebird"}, Action: Keep}}}, 1, false},
		"all but mail": {Policy{Off: []Type{Email}}, 0, false},
	} {
		e, err := New(c.p)
		require.NoError(t, err, name)
		require.Len(t, e.Find(nil, text), c.want, name)
		require.Equal(t, c.idle, e.idle, name)
	}
}
