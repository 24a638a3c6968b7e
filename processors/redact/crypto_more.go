package redact

import (
	"crypto/sha256"
	"crypto/sha512"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/sha3"
)

// otherAddress says whether a word is an address of a currency with a checksum
// of its own: Stellar (SEP-0023), Algorand, Monero, Polkadot and Kusama (SS58),
// Tezos, Zcash (transparent), Nano and Filecoin.
func otherAddress(w []byte) bool {
	switch n := len(w); {
	case n == 56 && w[0] == 'G':
		return stellar(w, 6<<3)
	case n == 58:
		return algorand(w)
	case n == 95 && (w[0] == '4' || w[0] == '8') || n == 106 && w[0] == '4':
		return monero(w)
	case n == 47 || n == 48:
		return ss58(w)
	case n == 36 && (w[0] == 't' || w[0] == 'K'), n == 35 && w[0] == 't':
		return prefixed58(w)
	case n == 65 && string(w[:5]) == "nano_", n == 64 && string(w[:4]) == "xrb_":
		return nano(w[n-60:])
	case n == 41 && w[0] == 'f' && w[1] == '1':
		return filecoin(w)
	}
	return false
}

const (
	base32RFC      = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // RFC 4648, 6
	base32Filecoin = "abcdefghijklmnopqrstuvwxyz234567"
	base32Nano     = "13456789abcdefghijkmnopqrstuwxyz"
)

// decodeBase32 reads five bits a character after skip bits of the first, and
// gives the number of whole bytes; -1 for a character of another alphabet.
func decodeBase32(dst, w []byte, alphabet string, skip int) int {
	acc, bits, n := 0, -skip, 0
	for _, b := range w {
		v := -1
		for i := range len(alphabet) {
			if alphabet[i] == b {
				v = i
			}
		}
		if v < 0 {
			return -1
		}
		acc = acc<<5 | v
		if bits += 5; bits >= 8 {
			bits -= 8
			if n < len(dst) {
				dst[n] = byte(acc >> bits)
			}
			n++
			acc &= 1<<bits - 1
		}
	}
	return n
}

// stellar checks a version, 32 bytes and CRC-16 (XMODEM), low byte first.
func stellar(w []byte, version byte) bool {
	var b [35]byte
	if decodeBase32(b[:], w, base32RFC, 0) != 35 || b[0] != version {
		return false
	}
	sum := crc16(b[:33])
	return b[33] == byte(sum) && b[34] == byte(sum>>8)
}

func crc16(t []byte) uint16 {
	sum := uint16(0)
	for _, b := range t {
		sum ^= uint16(b) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}

// algorand checks the last four bytes of SHA-512/256 of the key.
func algorand(w []byte) bool {
	var b [36]byte
	if decodeBase32(b[:], w, base32RFC, 0) != 36 {
		return false
	}
	sum := sha512.Sum512_256(b[:32])
	return string(sum[28:]) == string(b[32:])
}

// monero checks Keccak-256 over the network's byte and the keys; its base 58
// is by blocks of eight bytes in eleven characters.
func monero(w []byte) bool {
	var b [80]byte
	n := 0
	for len(w) > 0 {
		size, chars := 8, 11
		if len(w) < 11 {
			chars = len(w)
			size = map[int]int{2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7}[chars]
		}
		if size == 0 || n+size > len(b) || !decodeBase58(b[n:n+size], w[:chars], base58Bitcoin) {
			return false
		}
		n, w = n+size, w[chars:]
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(b[:n-4])
	return string(h.Sum(nil)[:4]) == string(b[n-4:n])
}

// ss58 checks the two bytes of Blake2b over "SS58PRE" and the rest, of the
// networks Polkadot, Kusama and generic Substrate.
func ss58(w []byte) bool {
	var b [42]byte
	copy(b[:], "SS58PRE")
	if !decodeBase58(b[7:], w, base58Bitcoin) || b[7] != 0 && b[7] != 2 && b[7] != 42 {
		return false
	}
	sum := blake2b.Sum512(b[:40])
	return sum[0] == b[40] && sum[1] == b[41]
}

// prefixed58 checks Base58Check after the prefixes of Tezos (three bytes) and
// Zcash (two).
func prefixed58(w []byte) bool {
	var b [27]byte
	size := 27
	if len(w) == 35 {
		size = 26
	}
	if !decodeBase58(b[:size], w, base58Bitcoin) || !checked58(b[:size]) {
		return false
	}
	switch string(b[:3]) {
	case "\x06\xa1\x9f", "\x06\xa1\xa1", "\x06\xa1\xa4", "\x02\x5a\x79":
		return size == 27
	}
	return size == 26 && b[0] == 0x1c && (b[1] == 0xb8 || b[1] == 0xbd)
}

// decodeBase58 fills dst with the number that w writes, false if it does not
// fit or has characters of another alphabet.
func decodeBase58(dst, w []byte, alphabet string) bool {
	clear(dst)
	for _, b := range w {
		carry := -1
		for i := range len(alphabet) {
			if alphabet[i] == b {
				carry = i
			}
		}
		if carry < 0 {
			return false
		}
		for i := len(dst) - 1; i >= 0; i-- {
			carry += int(dst[i]) * 58
			dst[i], carry = byte(carry), carry>>8
		}
		if carry != 0 {
			return false
		}
	}
	return true
}

// checked58 says whether the last four bytes are the first of a double SHA-256
// of the others.
func checked58(b []byte) bool {
	n := len(b) - 4
	sum := sha256.Sum256(b[:n])
	sum = sha256.Sum256(sum[:])
	return string(sum[:4]) == string(b[n:])
}

// nano checks the five bytes of Blake2b, in reverse, after a key of 52
// characters.
func nano(w []byte) bool {
	var key [32]byte
	var sum [5]byte
	if decodeBase32(key[:], w[:52], base32Nano, 4) != 32 || decodeBase32(sum[:], w[52:], base32Nano, 0) != 5 {
		return false
	}
	h, err := blake2b.New(5, nil)
	if err != nil {
		return false
	}
	h.Write(key[:])
	for i, b := range h.Sum(nil) {
		if sum[4-i] != b {
			return false
		}
	}
	return true
}

// filecoin checks the four bytes of Blake2b over the protocol and the hash of a
// key.
func filecoin(w []byte) bool {
	var b [24]byte
	if decodeBase32(b[:], w[2:], base32Filecoin, 0) != 24 {
		return false
	}
	h, err := blake2b.New(4, nil)
	if err != nil {
		return false
	}
	h.Write([]byte{1})
	h.Write(b[:20])
	return string(h.Sum(nil)) == string(b[20:])
}

// ton finds a user-friendly address of TON that begins at start: 48 characters
// of base64, a tag, a workchain, 32 bytes and CRC-16.
func (f *finder) ton(start int) {
	end := start
	for end < len(f.t) && end-start < 49 && charsets[csURL][f.t[end]] {
		end++
	}
	var b [36]byte
	if end-start != 48 || f.at(start+1) != 'Q' {
		return
	}
	if n, ok := decodeBase64(b[:], f.t[start:end]); !ok || n != 36 || b[0]&0x3f != 0x11 || b[1] != 0 && b[1] != 0xff {
		return
	}
	if sum := crc16(b[:34]); b[34] == byte(sum>>8) && b[35] == byte(sum) {
		f.add(start, end, CryptoAddress)
	}
}

// cashAddress says whether a word is the payload of a Bitcoin Cash address,
// whose checksum is over the prefix "bitcoincash" (CashAddr).
func cashAddress(w []byte) bool {
	if len(w) != 42 || w[0] != 'q' && w[0] != 'p' {
		return false
	}
	sum := uint64(1)
	for _, b := range []byte("bitcoincash") {
		sum = cashStep(sum) ^ uint64(b&31)
	}
	sum = cashStep(sum)
	for _, b := range w {
		v := bech32Value[b]
		if v < 0 || b-'A' < 26 {
			return false
		}
		sum = cashStep(sum) ^ uint64(v)
	}
	return sum == 1
}

func cashStep(sum uint64) uint64 {
	top := sum >> 35
	sum = sum & 0x07ffffffff << 5
	for i, g := range [5]uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470} {
		if top>>i&1 != 0 {
			sum ^= g
		}
	}
	return sum
}

// wif says whether a token is a private key in Bitcoin's wallet import format.
func wif(token []byte, _ int) bool {
	var b [38]byte
	size := 38
	if token[0] == '5' {
		size = 37
	}
	return decodeBase58(b[:size], token, base58Bitcoin) && b[0] == 0x80 && checked58(b[:size])
}

// extendedKey checks the checksum of an extended private key of BIP 32.
func extendedKey(token []byte, _ int) bool {
	var b [82]byte
	return decodeBase58(b[:], token, base58Bitcoin) && checked58(b[:])
}
