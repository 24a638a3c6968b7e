package redact

import (
	"strings"
	"testing"
)

func TestEmail(t *testing.T) {
	expect(t, [][2]string{
		{"mail bob@example.com.", "mail [REDACTED:email]."},
		{"<alice.o'neil+tag@sub.example.co.uk>", "<[REDACTED:email]>"},
		{"mailto:bob@example.com?subject=hi", "mailto:[REDACTED:email]?subject=hi"},
		{"\"john doe\"@example.org, x", "[REDACTED:email], x"},
		{"пример@почта.рф и всё", "[REDACTED:email] и всё"},
		{"user@xn--80akhbyknj4f.xn--p1ai", "[REDACTED:email]"},
		{"postmaster@[192.0.2.1]", "[REDACTED:email]"},
		{"postmaster@[IPv6:2001:db8::1]", "[REDACTED:email]"},
		{"a@example.com,b@example.org;c@example.net", "[REDACTED:email],[REDACTED:email];[REDACTED:email]"},
		{"see...bob@example.com...", "see...[REDACTED:email]..."},
		{"http://x.example/?to=bob@example.com&x=1", "http://x.example/?to=[REDACTED:email]&x=1"},
		{"**bob@example.com** _bob@example.com_", "**[REDACTED:email]** _[REDACTED:email]_"},
		{"BOB@EXAMPLE.COM", "[REDACTED:email]"},
		{strings.Repeat("a", 64) + "@example.com", "[REDACTED:email]"},
		{"x@" + strings.Repeat("a", 63) + ".com", "[REDACTED:email]"},
	})
}

func TestEmailRules(t *testing.T) {
	expect(t, [][2]string{
		{"user@host", ""},
		{"root@ubuntu:~$ ls", ""},
		{"[root@db1.example.com ~]# ls", ""},
		{"bob@db1.example.com:~/src$ ls", ""},
		{"git clone git@github.com:foo/bar.git", ""},
		{"scp x root@host.example.com:/var/www", ""},
		{"ssh bob@host.example.com or ssh -p 2222 -X bob@host.example.com", ""},
		{"ssh://git@github.com/foo/bar", ""},
		{"npm i left-pad@1.2.3 lodash@4.17.21-beta.2", ""},
		{"@bob hi @alice.com", ""},
		{"a..b@example.com", ""},
		{".bob@example.com", ""},
		{"bob.@example.com", ""},
		{"bob@-example.com", ""},
		{"bob@example-.com", ""},
		{"bob@example..com", ""},
		{"bob@exa_mple.com", ""},
		{"bob@example.c", ""},
		{"bob@example.c0m", ""},
		{"bob@example.nosuchtld", ""},
		{"bob@[300.1.2.3]", ""},
		{"\"\"@example.com", ""},
		{strings.Repeat("a", 65) + "@example.com", ""},
		{"x@" + strings.Repeat("a", 64) + ".com", ""},
		{"a@b@example.com", ""},
	})
}
