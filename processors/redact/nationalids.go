package redact

// nationalRules are the numbers known, from the descriptions of the offices
// that issue them.
var nationalRules = append(worldRules, []nationalRule{
	{"US", "ITIN", "ddddddddd", itin, []string{"itin"}},
	{"GB", "National Insurance number", "AAddddddA", nino, []string{"nino", "ni", "insurance"}},
	{"GB", "NHS number", "dddddddddd", nhs, []string{"nhs", "chi"}},
	{"IE", "PPS number", "dddddddA", pps, []string{"pps", "ppsn"}},
	{"IE", "PPS number", "dddddddAA", pps, []string{"pps", "ppsn"}},
	{"DE", "Steuer-ID", "ddddddddddd", steuerID, []string{"steuer", "steuerid", "idnr", "tin", "identifikationsnummer", "steueridentifikationsnummer", "steuernummer"}},
	{"DE", "Sozialversicherungsnummer", "ddddddddAddd", svnr, []string{"sozialversicherungsnummer", "rentenversicherungsnummer", "svnr", "rvnr", "sozialversicherung"}},
	{"FR", "NIR", "ddddddddddddddd", nir, []string{"nir", "insee", "secu", "sécu", "sociale", "sécurité", "securite"}},
	{"ES", "DNI", "ddddddddA", dni, []string{"dni", "nif", "documento"}},
	{"ES", "NIE", "AdddddddA", nie, []string{"nie", "nif", "extranjero", "dni"}},
	{"IT", "codice fiscale", "AAAAAAXXAXXAXXXA", codiceFiscale, nil},
	{"IT", "codice fiscale", "AAAAAAXXAXXAXXXA", codiceFiscale, []string{"fiscale", "codice", "cf"}},
	{"NL", "BSN", "ddddddddd", bsn, []string{"bsn", "sofinummer", "burgerservicenummer", "sofi"}},
	{"BE", "rijksregisternummer", "ddddddddddd", rijksregister, []string{"rijksregisternummer", "rijksregister", "nn", "registre", "niss", "insz"}},
	{"PL", "PESEL", "ddddddddddd", pesel, []string{"pesel"}},
	{"PT", "NIF", "ddddddddd", nifPT, []string{"nif", "contribuinte"}},
	{"SE", "personnummer", "dddddddddd", personnummer, []string{"personnummer", "pnr", "samordningsnummer", "personnr"}},
	{"SE", "personnummer", "dddddddddddd", personnummer, []string{"personnummer", "pnr", "samordningsnummer", "personnr"}},
	{"FI", "henkilötunnus", "ddddddAdddX", hetu, nil},
	{"FI", "henkilötunnus", "dddddddddX", hetuDash, []string{"hetu", "henkilötunnus", "henkilotunnus", "sotu"}},
	{"NO", "fødselsnummer", "ddddddddddd", fodselsnummer, []string{"fødselsnummer", "fodselsnummer", "personnummer", "fnr"}},
	{"DK", "CPR", "dddddddddd", cpr, []string{"cpr", "personnummer", "cprnr"}},
	{"CZ", "rodné číslo", "dddddddddd", rodneCislo, []string{"rodné", "rodne", "rodného", "rc", "rč"}},
	{"RO", "CNP", "ddddddddddddd", cnp, []string{"cnp"}},
	{"BG", "EGN", "dddddddddd", egn, []string{"egn", "егн"}},
	{"GR", "AMKA", "ddddddddddd", amka, []string{"amka", "αμκα"}},
	{"EE", "isikukood", "ddddddddddd", isikukood, []string{"isikukood", "asmens", "kodas"}},
	{"HR", "OIB", "ddddddddddd", oib, []string{"oib"}},
	{"CH", "AHV", "ddddddddddddd", ahv, []string{"ahv", "avs", "ahvnr", "sozialversicherungsnummer"}},
	{"TR", "TCKN", "ddddddddddd", tckn, []string{"tckn", "tc", "kimlik"}},
	{"BR", "CPF", "ddddddddddd", cpf, []string{"cpf"}},
	{"CL", "RUT", "ddddddddX", rut, []string{"rut"}},
	{"AR", "CUIL", "ddddddddddd", cuil, []string{"cuil", "cuit"}},
	{"MX", "CURP", "AAAAddddddAAAAAAXd", curp, nil},
	{"CA", "SIN", "ddddddddd", sin, []string{"sin", "nas"}},
	{"CN", "resident identity number", "dddddddddddddddddX", residentCN, nil},
	{"CN", "resident identity number", "dddddddddddddddddX", residentCN, []string{"身份证", "身份證", "证件"}},
	{"IN", "Aadhaar", "dddddddddddd", aadhaar, []string{"aadhaar", "aadhar", "adhaar", "uidai", "uid", "आधार"}},
	{"KR", "RRN", "ddddddddddddd", rrn, []string{"rrn", "jumin", "주민등록번호", "주민번호"}},
	{"JP", "My Number", "dddddddddddd", myNumber, []string{"mynumber", "マイナンバー", "個人番号"}},
	{"TW", "identity card", "Addddddddd", idTW, []string{"身分證", "身份證", "taiwan", "roc"}},
	{"SG", "NRIC", "AdddddddA", nric, []string{"nric", "fin"}},
	{"TH", "identity card", "ddddddddddddd", idTH, []string{"thai", "thailand", "บัตรประชาชน", "ประจำตัวประชาชน"}},
	{"IL", "identity number", "ddddddddd", luhnID, []string{"teudat", "zehut", "tz", "זהות", "ת.ז"}},
	{"ZA", "identity number", "ddddddddddddd", idZA, []string{"rsa", "said", "identiteitsnommer", "sa", "id"}},
	{"AU", "TFN", "ddddddddd", tfn, []string{"tfn"}},
	{"AU", "Medicare", "dddddddddd", medicareAU, []string{"medicare"}},
	{"NZ", "IRD", "ddddddddd", ird, []string{"ird"}},
	{"NZ", "IRD", "dddddddd", ird8, []string{"ird"}},
}...)

// num is the value of the digits in c.
func num(c []byte) int {
	v := 0
	for _, b := range c {
		v = v*10 + int(b-'0')
	}
	return v
}

// weighted is the sum of the digits times their weights.
func weighted(c []byte, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(c[i]-'0') * w
	}
	return sum
}

// isDay says whether month and day can be a date; 29 February always can.
func isDay(month, day int) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

func luhnID(c []byte) bool {
	var d [maxNational]byte
	for i, b := range c {
		d[i] = b - '0'
	}
	return luhn(d[:len(c)])
}

func itin(c []byte) bool {
	g := num(c[3:5])
	return c[0] == '9' && (g >= 50 && g <= 65 || g >= 70 && g <= 88 || g >= 90 && g <= 92 || g >= 94)
}

func nino(c []byte) bool {
	if bytesIn(c[0], "DFIQUV") || bytesIn(c[1], "DFIOQUV") || c[8] < 'A' || c[8] > 'D' {
		return false
	}
	switch string(c[:2]) {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return false
	}
	return true
}

func nhs(c []byte) bool {
	r := 11 - weighted(c, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return r != 10 && r%11 == int(c[9]-'0')
}

func pps(c []byte) bool {
	sum := weighted(c, 8, 7, 6, 5, 4, 3, 2)
	if len(c) == 9 && c[8] != 'W' {
		sum += 9 * int(c[8]-'@')
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == c[7]
}

func steuerID(c []byte) bool {
	p := 10
	var count [10]int
	for _, b := range c[:10] {
		count[b-'0']++
		s := (int(b-'0') + p) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	repeated := 0
	for _, n := range count {
		if n > 3 {
			return false
		}
		if n > 1 {
			repeated++
		}
	}
	return c[0] != '0' && repeated == 1 && (11-p)%10 == int(c[10]-'0')
}

func svnr(c []byte) bool {
	letter := int(c[8]-'A') + 1
	d := [12]int{}
	for i := range 8 {
		d[i] = int(c[i] - '0')
	}
	d[8], d[9] = letter/10, letter%10
	d[10], d[11] = int(c[9]-'0'), int(c[10]-'0')
	sum := 0
	for i, w := range [12]int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
		p := d[i] * w
		sum += p/10 + p%10
	}
	return sum%10 == int(c[11]-'0')
}

func nir(c []byte) bool {
	m := num(c[3:5])
	return bytesIn(c[0], "123478") && (m >= 1 && m <= 12 || m >= 20) && 97-num(c[:13])%97 == num(c[13:])
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func dni(c []byte) bool { return dniLetters[num(c[:8])%23] == c[8] }

func nie(c []byte) bool {
	return c[0] >= 'X' && c[0] <= 'Z' && dniLetters[(int(c[0]-'X')*10_000_000+num(c[1:8]))%23] == c[8]
}

// codiceFiscale takes digits that were replaced by letters for namesakes.
func codiceFiscale(c []byte) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i, b := range c[:15] {
		switch i {
		case 6, 7, 9, 10, 12, 13, 14:
			if !isDigit(b) && !bytesIn(b, "LMNPQRSTUV") {
				return false
			}
		}
		v := int(b - 'A')
		if isDigit(b) {
			v = int(b - '0')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	return bytesIn(c[8], "ABCDEHLMPRST") && byte('A'+sum%26) == c[15]
}

func bsn(c []byte) bool {
	return (weighted(c, 9, 8, 7, 6, 5, 4, 3, 2)-int(c[8]-'0'))%11 == 0 && num(c) > 0
}

func rijksregister(c []byte) bool {
	n, check := num(c[:9]), num(c[9:])
	m := num(c[2:4]) % 20
	return m <= 12 && (97-n%97 == check || 97-(2_000_000_000+n)%97 == check)
}

func pesel(c []byte) bool {
	return isDay(num(c[2:4])%20, num(c[4:6])) && (10-weighted(c, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10 == int(c[10]-'0')
}

func nifPT(c []byte) bool {
	r := 11 - weighted(c, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if r > 9 {
		r = 0
	}
	return bytesIn(c[0], "1235689") && r == int(c[8]-'0')
}

func personnummer(c []byte) bool {
	c = c[len(c)-10:]
	day := num(c[4:6])
	return isDay(num(c[2:4]), day%60) && luhnID(c)
}
