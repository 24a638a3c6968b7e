package redact

// hetu is Finland's; the seventh character says the century.
func hetu(c []byte) bool {
	if !bytesIn(c[6], "ABCDEFYXWVU") || !isDay(num(c[2:4]), num(c[:2])) {
		return false
	}
	n := num(c[:6])*1000 + num(c[7:10])
	return "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31] == c[10]
}

// hetuDash is the same with the "-" of the twentieth century.
func hetuDash(c []byte) bool {
	var full [11]byte
	copy(full[:6], c[:6])
	full[6] = 'Y' // stands for "-"
	copy(full[7:], c[6:])
	return hetu(full[:])
}

func fodselsnummer(c []byte) bool {
	k1 := (11 - weighted(c, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11) % 11
	k2 := (11 - weighted(c, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	return isDay(num(c[2:4])%40, num(c[:2])%40) && k1 == int(c[9]-'0') && k2 == int(c[10]-'0')
}

// cpr has no check digit in numbers issued since 2007; the date has to do.
func cpr(c []byte) bool { return isDay(num(c[2:4]), num(c[:2])) }

func rodneCislo(c []byte) bool {
	m := num(c[2:4]) % 50
	if m > 20 {
		m -= 20
	}
	return isDay(m, num(c[4:6])) && (num(c)%11 == 0 || num(c[:9])%11 == 10 && c[9] == '0')
}

func cnp(c []byte) bool {
	r := weighted(c, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	if r == 10 {
		r = 1
	}
	return c[0] != '0' && isDay(num(c[3:5]), num(c[5:7])) && r == int(c[12]-'0')
}

func egn(c []byte) bool {
	return isDay(num(c[2:4])%20, num(c[4:6])) && weighted(c, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == int(c[9]-'0')
}

func amka(c []byte) bool { return isDay(num(c[2:4]), num(c[:2])) && luhnID(c) }

// isikukood is Estonia's, and Lithuania's asmens kodas.
func isikukood(c []byte) bool {
	r := weighted(c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if r == 10 {
		r = weighted(c, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return c[0] >= '1' && c[0] <= '8' && isDay(num(c[3:5]), num(c[5:7])) && r == int(c[10]-'0')
}

// oib is ISO 7064 mod 11, 10.
func oib(c []byte) bool {
	p := 10
	for _, b := range c[:10] {
		s := (p + int(b-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return (11-p)%10 == int(c[10]-'0')
}

func ahv(c []byte) bool {
	return string(c[:3]) == "756" && (10-weighted(c, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3)%10)%10 == int(c[12]-'0')
}

func tckn(c []byte) bool {
	odd := weighted(c, 1, 0, 1, 0, 1, 0, 1, 0, 1)
	even := weighted(c, 0, 1, 0, 1, 0, 1, 0, 1)
	d10 := ((odd*7-even)%10 + 10) % 10
	return c[0] != '0' && d10 == int(c[9]-'0') && (odd+even+d10)%10 == int(c[10]-'0')
}

func cpf(c []byte) bool {
	d1 := weighted(c, 10, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	d2 := weighted(c, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	return d1 == int(c[9]-'0') && d2 == int(c[10]-'0')
}

func rut(c []byte) bool {
	r := 11 - weighted(c, 3, 2, 7, 6, 5, 4, 3, 2)%11
	return "0123456789K0"[r] == c[8]
}

func cuil(c []byte) bool {
	switch num(c[:2]) {
	case 20, 23, 24, 25, 26, 27, 30, 33, 34:
	default:
		return false
	}
	return (11-weighted(c, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == int(c[10]-'0')
}

func curp(c []byte) bool {
	if !isDay(num(c[6:8]), num(c[8:10])) || !bytesIn(c[10], "HMX") {
		return false
	}
	sum := 0
	for i, b := range c[:17] {
		v := int(b - '0')
		if isAlpha(b) {
			if v = int(b-'A') + 10; b > 'N' {
				v++ // after Ñ
			}
		}
		sum += v * (18 - i)
	}
	return (10-sum%10)%10 == int(c[17]-'0')
}

func sin(c []byte) bool { return c[0] != '0' && c[0] != '8' && luhnID(c) }

func residentCN(c []byte) bool {
	year := num(c[6:10])
	if year < 1800 || year > 2099 || !isDay(num(c[10:12]), num(c[12:14])) || c[0] == '0' || c[0] > '8' {
		return false
	}
	sum := weighted(c, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
	return "10X98765432"[sum%11] == c[17]
}

// aadhaar is Verhoeff's scheme (1969).
func aadhaar(c []byte) bool { return c[0] >= '2' && verhoeff(c) }

func verhoeff(c []byte) bool {
	d5 := func(a, b int) int { // the dihedral group D5
		switch {
		case a < 5 && b < 5:
			return (a + b) % 5
		case a < 5:
			return 5 + (a+b)%5
		case b < 5:
			return 5 + (a-b+5)%5
		}
		return (a - b + 5) % 5
	}
	perm := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	sum := 0
	for i := range c {
		v := int(c[len(c)-1-i] - '0')
		for range i % 8 {
			v = perm[v]
		}
		sum = d5(sum, v)
	}
	return sum == 0
}

// rrn has a check digit in numbers issued before October 2020 only.
func rrn(c []byte) bool { return isDay(num(c[2:4]), num(c[4:6])) && c[6] >= '1' && c[6] <= '8' }

func myNumber(c []byte) bool {
	r := weighted(c, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
	want := 0
	if r > 1 {
		want = 11 - r
	}
	return want == int(c[11]-'0')
}

func idTW(c []byte) bool {
	code := 0 // 10 to 35 in this order
	for i, b := range []byte("ABCDEFGHJKLMNPQRSTUVXYWZIO") {
		if b == c[0] {
			code = i + 10
		}
	}
	return bytesIn(c[1], "1289") && (code/10+code%10*9+weighted(c[1:], 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
}

func nric(c []byte) bool {
	sum := weighted(c[1:], 2, 7, 6, 5, 4, 3, 2)
	switch c[0] {
	case 'S':
		return "JZIHGFEDCBA"[sum%11] == c[8]
	case 'T':
		return "JZIHGFEDCBA"[(sum+4)%11] == c[8]
	case 'F':
		return "XWUTRQPNMLK"[sum%11] == c[8]
	case 'G':
		return "XWUTRQPNMLK"[(sum+4)%11] == c[8]
	case 'M':
		return "XWUTRQPNJLK"[(sum+3)%11] == c[8]
	}
	return false
}

func idTH(c []byte) bool {
	return c[0] != '0' && (11-weighted(c, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == int(c[12]-'0')
}

func idZA(c []byte) bool {
	return isDay(num(c[2:4]), num(c[4:6])) && (c[10] == '0' || c[10] == '1') && luhnID(c)
}

func tfn(c []byte) bool { return weighted(c, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 }

func medicareAU(c []byte) bool {
	return c[0] >= '2' && c[0] <= '6' && weighted(c, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(c[8]-'0')
}

func ird8(c []byte) bool {
	var full [9]byte
	full[0] = '0'
	copy(full[1:], c)
	return c[0] != '0' && ird(full[:])
}

func ird(c []byte) bool {
	r := (11 - weighted(c, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if r == 10 {
		r = (11 - weighted(c, 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
	}
	return r == int(c[8]-'0')
}
