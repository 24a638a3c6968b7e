package redact

import "bytes"

var (
	dashes    = []byte("-----")
	puttyMAC  = []byte("Private-MAC:")
	keyLabels = [...]string{"PRIVATE KEY", "PRIVATE KEY BLOCK"}
)

// maxKey bounds a key block in bytes; the largest RSA keys take a quarter.
const maxKey = 64 << 10

// privateKey finds the key block whose first dash is at i: PEM (RFC 7468) with
// any label that ends in PRIVATE KEY, which OpenSSH's is too, PGP's private
// block (RFC 9580, 6.2), and PuTTY's files. Line ends may be lost or written as
// "\n"; a block without its last line is taken as far as base64 goes.
func (f *finder) privateKey(i int) {
	if f.at(i+1) == '-' {
		f.armour(i)
	} else if i >= 5 && string(f.t[i-5:i]) == "PuTTY" && bytes.HasPrefix(f.t[i:], []byte("-User-Key-File-")) {
		f.putty(i - 5)
	}
}

func (f *finder) armour(i int) {
	t := f.t[i:]
	if f.at(i-1) == '-' || !bytes.HasPrefix(t, []byte("-----BEGIN ")) {
		f.ssh2(i)
		return
	}
	header := t[:min(len(t), 80)]
	closing := bytes.Index(header[11:], dashes)
	if closing < 0 {
		return
	}
	label := header[11 : 11+closing]
	private := false
	for _, l := range keyLabels {
		private = private || bytes.HasSuffix(label, []byte(l))
	}
	if !private {
		return
	}
	body := 11 + closing + len(dashes)
	rest := t[body:min(len(t), body+maxKey)]
	end := 0
	if next := bytes.Index(rest, dashes); next >= 0 && bytes.HasPrefix(rest[next+5:], []byte("END ")) {
		tail := rest[next+9 : min(len(rest), next+80)]
		if last := bytes.Index(tail, dashes); last >= 0 {
			end = body + next + 9 + last + len(dashes)
		}
	}
	if end == 0 {
		n, payload := base64Run(rest)
		if payload < 32 {
			return
		}
		end = body + n
	}
	f.add(i, i+end, PrivateKey)
	f.blockEnd = i + end
}

// ssh2 takes a private key in the format of ssh.com, whose marks have four
// dashes and spaces.
func (f *finder) ssh2(i int) {
	const begin, end = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "---- END SSH2 ENCRYPTED PRIVATE KEY ----"
	t := f.t[i:min(len(f.t), i+maxKey)]
	if !bytes.HasPrefix(t, []byte(begin)) {
		return
	}
	// Not beyond the next block, so that each stretch is searched once.
	if next := bytes.Index(t[len(begin):], []byte(begin)); next >= 0 {
		t = t[:len(begin)+next]
	}
	n := bytes.Index(t, []byte(end))
	if n < 0 {
		return
	}
	f.blockEnd = i + n + len(end)
	f.add(i, f.blockEnd, PrivateKey)
}

// base64Run is the length of base64 and the white space in it at the start of
// t, real or escaped, and how many characters of it are base64.
func base64Run(t []byte) (n, payload int) {
	for i, b := range t {
		switch {
		case b == '-' || base64Value[b] < 0 && !bytesIn(b, "=\r\n\t \\"):
			return n, payload
		case !bytesIn(b, "\r\n\t \\"):
			payload++
			n = i + 1
		}
	}
	return n, payload
}

// putty takes a PuTTY key file from its first line to the hex digits of its
// last.
func (f *finder) putty(start int) {
	rest := f.t[start:min(len(f.t), start+maxKey)]
	// Not beyond the next file, so that each stretch is searched once.
	if next := bytes.Index(rest[5:], []byte("PuTTY-User-Key-File-")); next >= 0 {
		rest = rest[:next+5]
	}
	mac := bytes.Index(rest, puttyMAC)
	if mac < 0 {
		return
	}
	end := mac + len(puttyMAC)
	for end < len(rest) && rest[end] == ' ' {
		end++
	}
	for end < len(rest) && isHex(rest[end]) {
		end++
	}
	f.add(start, start+end, PrivateKey)
	f.blockEnd = start + end
}
