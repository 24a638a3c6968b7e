package processors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The last of several members of one name is the one that counts, so a member that is set leaves no other of its name.
func TestSetMemberLeavesOneOfItsName(t *testing.T) {
	for object, want := range map[string]string{
		``:                                   `{"lang":"de"}`,
		`{}`:                                 `{"lang":"de"}`,
		`{"a": 1, "b":"x\ny"}`:               `{"a": 1,"b":"x\ny","lang":"de"}`,
		`{"lang":"en","a":{"lang":"fr"}}`:    `{"lang":"de","a":{"lang":"fr"}}`,
		`{"lang":"en","a":1,"lang":"fr"}`:    `{"lang":"de","a":1}`,
		`{"\u006cang":"en","a":[1,2],"b":3}`: `{"lang":"de","a":[1,2],"b":3}`,
	} {
		got, err := setMember([]byte(object), "lang", []byte(`"de"`))
		require.NoError(t, err, object)
		require.Equal(t, want, string(got), object)
	}
	for _, object := range []string{`{`, `[1]`, `{"a":1} x`, `1`} {
		_, err := setMember([]byte(object), "lang", []byte(`"de"`))
		require.Error(t, err, object)
	}
}
