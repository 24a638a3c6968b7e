package redact

// worldRules are further numbers, from the descriptions of the offices that
// issue them; those without a public check digit are told by their structure
// and the word beside them.
var worldRules = []nationalRule{
	{"AE", "Emirates ID", "ddddddddddddddd", emirates, []string{"emirates", "eid", "هوية"}},
	{"AT", "Sozialversicherungsnummer", "dddddddddd", svnrAT, []string{"svnr", "sozialversicherungsnummer", "versicherungsnummer", "sv"}},
	{"AU", "ABN", "ddddddddddd", abn, []string{"abn"}},
	{"AU", "ACN", "ddddddddd", acn, []string{"acn"}},
	{"BR", "CNPJ", "dddddddddddddd", cnpj, []string{"cnpj"}},
	{"CO", "NIT", "dddddddddd", nitCO, []string{"nit", "rut"}},
	{"DE", "Personalausweis", "AXXXXXXXXd", document731, []string{"personalausweis", "personalausweisnummer", "ausweis", "ausweisnummer", "perso", "reisepass", "passnummer"}},
	{"DE", "Krankenversichertennummer", "Addddddddd", kvnr, []string{"krankenversichertennummer", "kvnr", "versichertennummer", "krankenversicherung"}},
	{"DO", "cédula", "ddddddddddd", luhnID, []string{"cédula", "cedula"}},
	{"EC", "cédula", "dddddddddd", cedulaEC, []string{"cédula", "cedula", "ci"}},
	{"EC", "RUC", "ddddddddddddd", rucEC, []string{"ruc"}},
	{"ES", "CIF", "AdddddddX", cif, []string{"cif", "nif"}},
	{"ES", "número de la seguridad social", "dddddddddddd", nuss, []string{"nuss", "seguridad", "naf"}},
	{"GB", "UTR", "dddddddddd", utr, []string{"utr", "taxpayer"}},
	{"GR", "AFM", "ddddddddd", afm, []string{"afm", "αφμ", "ΑΦΜ"}},
	{"HK", "identity card", "AddddddX", hkid, []string{"hkid", "身份證", "身分證", "香港"}},
	{"HU", "TAJ", "ddddddddd", taj, []string{"taj", "tajszám"}},
	{"HU", "adóazonosító jel", "dddddddddd", taxHU, []string{"adóazonosító", "adoazonosito", "adójel"}},
	{"ID", "NIK", "dddddddddddddddd", nik, []string{"nik", "ktp"}},
	{"IN", "PAN", "AAAAAddddA", panIN, []string{"pan"}},
	{"IR", "national code", "dddddddddd", melliIR, []string{"melli", "ملی", "کدملی"}},
	{"IS", "kennitala", "dddddddddd", kennitala, []string{"kennitala", "kennitölu", "kt"}},
	{"IT", "partita IVA", "ddddddddddd", luhnID, []string{"iva", "piva", "partita"}},
	{"KW", "civil ID", "dddddddddddd", civilKW, []string{"civil", "المدني"}},
	{"KZ", "IIN", "dddddddddddd", iin, []string{"iin", "иин", "ИИН", "жсн", "ЖСН"}},
	{"LU", "matricule", "ddddddddddddd", matricule, []string{"matricule", "cns"}},
	{"LV", "personas kods", "ddddddddddd", personasKods, []string{"personas", "kods"}},
	{"MD", "IDNP", "ddddddddddddd", idnp, []string{"idnp", "idno"}},
	{"MX", "RFC", "AAAAddddddXXX", rfcMX, []string{"rfc"}},
	{"MY", "MyKad", "dddddddddddd", mykad, []string{"mykad", "nric", "ic", "kad"}},
	{"NZ", "NHI", "AAAdddd", nhi, []string{"nhi"}},
	{"PE", "RUC", "ddddddddddd", rucPE, []string{"ruc"}},
	{"PK", "CNIC", "ddddddddddddd", cnic, []string{"cnic", "nadra"}},
	{"PL", "NIP", "dddddddddd", nip, []string{"nip"}},
	{"PL", "REGON", "ddddddddd", regon, []string{"regon"}},
	{"PL", "dowód osobisty", "AAAdddddd", dowod, []string{"dowód", "dowod", "dowodu", "osobisty", "osobistego"}},
	{"RS", "JMBG", "ddddddddddddd", jmbg, []string{"jmbg", "јмбг", "ЈМБГ", "ембг", "ЕМБГ", "emšo", "emso", "EMŠO"}},
	{"RU", "INN", "dddddddddd", inn10, []string{"inn", "инн", "ИНН"}},
	{"RU", "INN", "dddddddddddd", inn12, []string{"inn", "инн", "ИНН"}},
	{"RU", "SNILS", "ddddddddddd", snils, []string{"snils", "снилс", "СНИЛС"}},
	{"SA", "national ID", "dddddddddd", idSA, []string{"iqama", "هوية", "الهوية", "إقامة", "saudi"}},
	{"SI", "davčna številka", "dddddddd", davcna, []string{"davčna", "davcna", "davčno"}},
	{"UA", "RNOKPP", "dddddddddd", rnokpp, []string{"rnokpp", "рнокпп", "РНОКПП", "іпн", "ІПН", "ипн", "ИПН", "инн", "ИНН"}},
	{"US", "EIN", "ddddddddd", ein, []string{"ein", "fein"}},
	{"US", "MBI", "dAXdAXdAAdd", mbi, []string{"mbi", "medicare"}},
	{"US", "NPI", "dddddddddd", npi, []string{"npi"}},
	{"US", "DEA number", "AAddddddd", dea, []string{"dea"}},
	{"UY", "cédula", "dddddddd", cedulaUY, []string{"cédula", "cedula", "ci", "uruguay"}},
	{"VE", "RIF", "Addddddddd", rif, []string{"rif"}},
}

// checkEleven is 11 less a sum's rest, with what stands for 10 and 11.
func checkEleven(sum, ten, eleven int) int {
	switch r := 11 - sum%11; r {
	case 10:
		return ten
	case 11:
		return eleven
	default:
		return r
	}
}

func last(c []byte) int { return int(c[len(c)-1] - '0') }

func emirates(c []byte) bool { return string(c[:3]) == "784" && luhnID(c) }

func svnrAT(c []byte) bool {
	r := weighted(c, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6) % 11
	m := num(c[6:8])
	return c[0] != '0' && r == int(c[3]-'0') && num(c[4:6]) >= 1 && num(c[4:6]) <= 31 && m >= 1 && m <= 15
}

func abn(c []byte) bool {
	return c[0] != '0' && (weighted(c, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

func acn(c []byte) bool { return (10-weighted(c, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == last(c) }

func cnpj(c []byte) bool {
	d1 := weighted(c, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	d2 := weighted(c, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	return d1 == int(c[12]-'0') && d2 == int(c[13]-'0')
}

func nitCO(c []byte) bool {
	return checkEleven(weighted(c, 41, 37, 29, 23, 19, 17, 13, 7, 3), 1, 0) == last(c)
}

// document731 is the check digit of ICAO Doc 9303, part 3, 4.9.
func document731(c []byte) bool {
	sum := 0
	for i, b := range c[:len(c)-1] {
		v := int(b - '0')
		if isAlpha(b) {
			v = int(b-'A') + 10
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return bytesIn(c[0], "CFGHJKLMNPRTVWXYZ") && sum%10 == last(c)
}

func kvnr(c []byte) bool {
	var d [11]int
	d[0], d[1] = (int(c[0]-'A')+1)/10, (int(c[0]-'A')+1)%10
	sum := 0
	for i := range 10 {
		if i >= 2 {
			d[i] = int(c[i-1] - '0')
		}
		p := d[i] * (1 + i%2)
		sum += p/10 + p%10
	}
	return sum%10 == last(c)
}

func cedulaEC(c []byte) bool {
	p := num(c[:2])
	return (p >= 1 && p <= 24 || p == 30) && c[2] < '6' && luhnID(c)
}

func rucEC(c []byte) bool { return string(c[10:]) == "001" && cedulaEC(c[:10]) }

// cif is Spain's for companies: Luhn's sum of seven digits, as digit or letter.
func cif(c []byte) bool {
	if !bytesIn(c[0], "ABCDEFGHJNPQRSUVW") {
		return false
	}
	sum := 0
	for i, b := range c[1:8] {
		v := int(b - '0')
		if i%2 == 0 {
			v *= 2
		}
		sum += v/10 + v%10
	}
	r := (10 - sum%10) % 10
	return c[8] == byte('0'+r) || c[8] == "JABCDEFGHI"[r]
}

func nuss(c []byte) bool {
	n := num(c[2:10])
	if n < 10_000_000 {
		n += num(c[:2]) * 10_000_000
	} else {
		n += num(c[:2]) * 100_000_000
	}
	return num(c[:2]) <= 66 && n%97 == num(c[10:])
}

func utr(c []byte) bool {
	return "21987654321"[weighted(c[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)%11] == c[0]
}

func afm(c []byte) bool {
	return weighted(c, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == last(c)
}

func hkid(c []byte) bool {
	v := int(c[7] - '0')
	if isAlpha(c[7]) {
		if v = 10; c[7] != 'A' {
			return false
		}
	}
	return (36*9+(int(c[0]-'A')+10)*8+weighted(c[1:], 7, 6, 5, 4, 3, 2)+v)%11 == 0
}

func taj(c []byte) bool { return weighted(c, 3, 7, 3, 7, 3, 7, 3, 7)%10 == last(c) }

func taxHU(c []byte) bool { return c[0] == '8' && weighted(c, 1, 2, 3, 4, 5, 6, 7, 8, 9)%11 == last(c) }

func nik(c []byte) bool {
	return isDay(num(c[8:10]), num(c[6:8])%40) && num(c[:2]) >= 11 && num(c[:2]) <= 96
}

func panIN(c []byte) bool { return bytesIn(c[3], "ABCFGHJLPT") }

func melliIR(c []byte) bool {
	r := weighted(c, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
	if r > 1 {
		r = 11 - r
	}
	return r == last(c)
}

func kennitala(c []byte) bool {
	return isDay(num(c[2:4]), num(c[:2])%40) && checkEleven(weighted(c, 3, 2, 7, 6, 5, 4, 3, 2), -1, 0) == int(c[8]-'0') && bytesIn(c[9], "098")
}

func civilKW(c []byte) bool {
	return bytesIn(c[0], "123") && isDay(num(c[3:5]), num(c[5:7])) && checkEleven(weighted(c, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), -1, -1) == last(c)
}

func iin(c []byte) bool {
	r := weighted(c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) % 11
	if r == 10 {
		r = weighted(c, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2) % 11
	}
	return isDay(num(c[2:4]), num(c[4:6])) && r == last(c)
}

// matricule has two digits: Luhn's and Verhoeff's, both over the first eleven.
func matricule(c []byte) bool {
	var v [12]byte
	copy(v[:], c[:11])
	v[11] = c[12]
	return bytesIn(c[0], "12") && isDay(num(c[4:6]), num(c[6:8])) && luhnID(c[:12]) && verhoeff(v[:])
}

func personasKods(c []byte) bool {
	r := (1101 - weighted(c, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
	return isDay(num(c[2:4]), num(c[:2])) && r == last(c)
}

func idnp(c []byte) bool { return weighted(c, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)%10 == last(c) }

func rfcMX(c []byte) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"
	sum := 0
	for i, b := range c[:12] {
		for v := range len(alphabet) {
			if alphabet[v] == b {
				sum += v * (13 - i)
			}
		}
	}
	r := 11 - sum%11
	return isDay(num(c[6:8]), num(c[8:10])) && "0123456789A0"[r] == c[12]
}

func mykad(c []byte) bool {
	p := num(c[6:8])
	return isDay(num(c[2:4]), num(c[4:6])) && p >= 1 && p < 83
}

func nhi(c []byte) bool {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	sum := 0
	for i := range 3 {
		v := 0
		for k := range len(letters) {
			if letters[k] == c[i] {
				v = k + 1
			}
		}
		if v == 0 {
			return false
		}
		sum += v * (7 - i)
	}
	sum += weighted(c[3:], 4, 3, 2)
	return sum%11 != 0 && checkEleven(sum, 0, -1) == last(c)
}

func rucPE(c []byte) bool {
	switch string(c[:2]) {
	case "10", "15", "16", "17", "20":
		return checkEleven(weighted(c, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 0, 1) == last(c)
	}
	return false
}

func cnic(c []byte) bool { return c[0] >= '1' && c[0] <= '8' }

func nip(c []byte) bool { return weighted(c, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == last(c) }

func regon(c []byte) bool { return weighted(c, 8, 9, 2, 3, 4, 5, 6, 7)%11%10 == last(c) }

func dowod(c []byte) bool {
	sum := 0
	for i, w := range [9]int{7, 3, 1, 9, 7, 3, 1, 7, 3} {
		v := int(c[i] - '0')
		if i < 3 {
			v = int(c[i]-'A') + 10
		}
		sum += v * w
	}
	return sum%10 == 0
}

// jmbg is that of the successors of Yugoslavia.
func jmbg(c []byte) bool {
	return isDay(num(c[2:4]), num(c[:2])) && checkEleven(weighted(c, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), -1, 0) == last(c)
}

func inn10(c []byte) bool { return weighted(c, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == last(c) }

func inn12(c []byte) bool {
	return weighted(c, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == int(c[10]-'0') && weighted(c, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == last(c)
}

func snils(c []byte) bool { return weighted(c, 9, 8, 7, 6, 5, 4, 3, 2, 1)%101%100 == num(c[9:]) }

func idSA(c []byte) bool { return bytesIn(c[0], "12") && luhnID(c) }

func davcna(c []byte) bool {
	return c[0] != '0' && checkEleven(weighted(c, 8, 7, 6, 5, 4, 3, 2), 0, -1) == last(c)
}

func rnokpp(c []byte) bool {
	sum := weighted(c, 0, 5, 7, 9, 4, 6, 10, 5, 7) - int(c[0]-'0')
	return (sum%11+11)%11%10 == last(c)
}

// ein has no check digit; its first two digits name an office of the IRS.
func ein(c []byte) bool {
	p := num(c[:2])
	for _, r := range [...][2]int{{1, 6}, {10, 16}, {20, 27}, {30, 48}, {50, 68}, {71, 77}, {80, 88}, {90, 95}, {98, 99}} {
		if p >= r[0] && p <= r[1] {
			return true
		}
	}
	return false
}

// mbi has no check digit but letters that cannot be mistaken for digits.
func mbi(c []byte) bool {
	for _, b := range c {
		if bytesIn(b, "SLOIBZ") {
			return false
		}
	}
	return c[0] != '0'
}

// npi is Luhn's over the number after 80840.
func npi(c []byte) bool {
	var full [15]byte
	copy(full[:], "80840")
	copy(full[5:], c)
	return bytesIn(c[0], "12") && luhnID(full[:])
}

func dea(c []byte) bool {
	return bytesIn(c[0], "ABCDEFGHJKLMPRSTUX") && (weighted(c[2:], 1, 0, 1, 0, 1)+2*weighted(c[2:], 0, 1, 0, 1, 0, 1))%10 == last(c)
}

func cedulaUY(c []byte) bool { return (10-weighted(c, 2, 9, 8, 7, 6, 3, 4)%10)%10 == last(c) }

func rif(c []byte) bool {
	v := map[byte]int{'V': 1, 'E': 2, 'J': 3, 'P': 4, 'G': 5}[c[0]]
	return v > 0 && checkEleven(v*4+weighted(c[1:], 3, 2, 7, 6, 5, 4, 3, 2), 0, 0) == last(c)
}
