package redact

var (
	bearer  = secretKey{"bearer", 16, false}
	pastKey = []string{" is ", " was ", " ist ", " es ", " est "}
)

// spoken finds a secret that is said rather than assigned: "password is …",
// "Bearer …". The word [start, end) has a digit or is long, and may be the
// middle of the value.
func (f *finder) spoken(start int) {
	t := f.t
	from := start
	for from > 0 && start-from < 24 && t[from-1] > ' ' && t[from-1] != barrier {
		from--
	}
	if from < f.spokenEnd || from < 4 || t[from-1] != ' ' || !isAlpha(t[from-2]) {
		return
	}
	if from >= 7 && equalFold(t[from-7:from], "bearer ") {
		f.spokenEnd = from + 1
		f.value(from, &bearer)
		return
	}
	for _, verb := range pastKey {
		if from < len(verb)+2 || string(t[from-len(verb):from]) != verb {
			continue
		}
		if key := f.keyBefore(from - len(verb)); key != nil {
			f.spokenEnd = from + 1
			f.value(from, key)
		}
		return
	}
}

// flag finds the value of a command's option such as "--password …", whose
// first dash is at i.
func (f *finder) flag(i int) {
	t, j := f.t, i+2
	for j < len(t) && j < i+40 && (isAlnum(t[j]) || t[j] == '-' || t[j] == '_') {
		j++
	}
	if j == i+2 || f.at(j) != ' ' {
		return
	}
	if key := f.keyBefore(j); key != nil {
		f.value(j+1, key)
	}
}
