package redact

import "golang.org/x/crypto/sha3"

const (
	minCrypto = 25
	maxCrypto = 112
)

// base58Kinds are what a version byte of Base58Check stands for, by the length
// of the payload with it: addresses of Bitcoin, Litecoin, Dogecoin, Dash, Tron.
var base58Kinds = map[byte]string{
	0x00: "bitcoin", 0x05: "bitcoin script", 0x6f: "bitcoin testnet", 0xc4: "bitcoin testnet script",
	0x30: "litecoin", 0x32: "litecoin script", 0x1e: "dogecoin", 0x16: "dogecoin script", 0x4c: "dash", 0x10: "dash script", 0x41: "tron",
	0x17: "neo", 0x35: "neo", 0x26: "bitcoin gold", 0x3c: "ravencoin", 0x3a: "litecoin testnet, qtum", 0x71: "dogecoin testnet", 0x8c: "dash testnet",
}

// bech32Prefixes are the human-readable parts taken (SLIP-0173).
var bech32Prefixes = map[string]bool{
	"bc": true, "tb": true, "ltc": true, "vtc": true, "dgb": true, "grs": true, "addr": true, "stake": true,
	"cosmos": true, "osmo": true, "terra": true, "bnb": true, "inj": true, "kava": true, "secret": true,
	"bcrt": true, "tltc": true, "juno": true, "akash": true, "axelar": true, "celestia": true, "dydx": true, "sei": true, "erd": true, "one": true, "zil": true,
	"iota": true, "band": true, "cro": true, "thor": true, "stars": true, "evmos": true, "avax": true, "bech": true, "nomic": true, "persistence": true, "noble": true,
}

// crypto finds the address that is the word [start, end): Ethereum with its
// EIP-55 (2016) check where letters differ in case, Bech32 and Bech32m (BIP
// 173, BIP 350), Base58Check, Ripple's with its own alphabet, Bitcoin Cash's
// CashAddr and those of crypto_more.go.
func (f *finder) crypto(start, end int) {
	if end-start > maxCrypto || f.at(start-1) == barrier || f.at(end) == barrier {
		return
	}
	w := f.t[start:end]
	switch {
	case len(w) == 42 && w[0] == '0' && w[1] == 'x':
		if !eip55(w[2:]) {
			return
		}
	case bech32(w):
	case len(w) <= 36 && base58Address(w):
	case cashAddress(w), otherAddress(w):
	default:
		f.ton(start)
		return
	}
	f.add(start, end, CryptoAddress)
}

// eip55 checks the case of 40 hex digits against Keccak-256 of their lower
// case. One case throughout carries no checksum and is valid.
func eip55(hex []byte) bool {
	var low [40]byte
	var upper, letters int
	for i, b := range hex {
		if !isHex(b) {
			return false
		}
		low[i] = lower(b)
		if !isDigit(b) {
			letters++
			if b-'A' < 26 {
				upper++
			}
		}
	}
	if upper == 0 || upper == letters {
		return !placeholder(hex)
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(low[:])
	sum := h.Sum(nil)
	for i, b := range hex {
		if isDigit(b) {
			continue
		}
		nibble := sum[i/2] >> (4 * (1 - i%2)) & 0xf
		if (nibble >= 8) != (b-'A' < 26) {
			return false
		}
	}
	return true
}

const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

var bech32Value = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i, c := range []byte(bech32Alphabet) {
		t[c], t[upperOf(c)] = int8(i), int8(i)
	}
	return t
}()

func upperOf(b byte) byte {
	if b-'a' < 26 {
		return b &^ 0x20
	}
	return b
}

// bech32 checks prefix, characters, case and checksum.
func bech32(w []byte) bool {
	sep := -1
	for i, b := range w {
		if b == '1' {
			sep = i
		}
	}
	if sep < 2 || sep > 12 || len(w)-sep < 14 {
		return false
	}
	var low [maxCrypto]byte
	var up, lo bool
	for i, b := range w {
		up, lo = up || b-'A' < 26, lo || b-'a' < 26
		low[i] = lower(b)
	}
	if up && lo || !bech32Prefixes[string(low[:sep])] {
		return false
	}
	sum := uint32(1)
	for _, b := range low[:sep] {
		sum = bech32Step(sum) ^ uint32(b>>5)
	}
	sum = bech32Step(sum)
	for _, b := range low[:sep] {
		sum = bech32Step(sum) ^ uint32(b&31)
	}
	for _, b := range low[sep+1 : len(w)] {
		v := bech32Value[b]
		if v < 0 {
			return false
		}
		sum = bech32Step(sum) ^ uint32(v)
	}
	return sum == 1 || sum == 0x2bc830a3
}

func bech32Step(sum uint32) uint32 {
	top := sum >> 25
	sum = sum & 0x1ffffff << 5
	for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 != 0 {
			sum ^= g
		}
	}
	return sum
}

const (
	base58Bitcoin = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	base58Ripple  = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
)

// base58Address checks Base58Check: a version, 20 bytes, and the first four of
// a double SHA-256.
func base58Address(w []byte) bool {
	if w[0] == 'r' {
		version, ok := base58Check(w, base58Ripple)
		return ok && version == 0
	}
	version, ok := base58Check(w, base58Bitcoin)
	return ok && base58Kinds[version] != ""
}

func base58Check(w []byte, alphabet string) (version byte, ok bool) {
	var out [25]byte
	ok = decodeBase58(out[:], w, alphabet) && checked58(out[:])
	return out[0], ok
}
