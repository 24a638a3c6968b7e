package redact

import "fmt"

// Type is a kind of data that is found.
type Type uint8

// The types, by rising specificity: of two candidates of the same length for
// the same text the later type wins.
const (
	Phone Type = iota
	IP
	MAC
	CreditCard
	NationalID
	SSN
	IBAN
	Email
	CryptoAddress
	Secret
	URLCredentials
	JWT
	PrivateKey

	typeCount
)

var typeNames = [typeCount]string{
	Phone:          "phone",
	IP:             "ip",
	MAC:            "mac",
	NationalID:     "national_id",
	SSN:            "ssn",
	CreditCard:     "credit_card",
	IBAN:           "iban",
	Email:          "email",
	CryptoAddress:  "crypto_address",
	Secret:         "secret",
	URLCredentials: "url_credentials",
	JWT:            "jwt",
	PrivateKey:     "private_key",
}

// String is the type's public name, as configuration and output use it.
func (t Type) String() string {
	if t < typeCount {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// ParseType is the type with a public name.
func ParseType(name string) (Type, error) {
	for t, n := range typeNames {
		if n == name {
			return Type(t), nil
		}
	}
	return 0, fmt.Errorf("redact: no type %q", name)
}

// Types are all types there are.
func Types() []Type {
	all := make([]Type, typeCount)
	for i := range all {
		all[i] = Type(i)
	}
	return all
}

// Span is one piece of data found: the bytes [Start, End) of the text.
type Span struct {
	Start, End int
	Type       Type
}
