package build

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"lancre/build/certs"
	"lancre/index"
)

// inventoryCAs are two issuers of different names, and a third with the name of
// the second.
func inventoryCAs(t testing.TB) *issuers {
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, ca := range []identity{newCA(t, "CA", p256Key()), newCA(t, "Twin", otherP256()), newCA(t, "Twin", p384Key())} {
		if err := all.add(ca.cert); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What an inventory says is found by the octets that a response has.
func TestInventory(t *testing.T) {
	all := inventoryCAs(t)
	second, third := hex.EncodeToString(all.list[1].keyHash[:]), hex.EncodeToString(all.list[2].keyHash[:])
	text := "name,issuer,serial,notAfter\n" +
		"a,CN=CA,01,2027-01-01T00:00:00Z\n" +
		"b,CN=CA,00FF,2027-01-02T01:00:00+01:00\n" +
		"c," + second + ",1,2027-01-03T00:00:00Z\n" +
		"d," + third + ",ff" + strings.Repeat("00", 19) + ",2027-01-04T00:00:00Z\n" +
		"e,CN=CA,01,2026-01-01T00:00:00Z" // the shorter of two, and no line end
	v, err := loadInventory(write(t, "i.csv", []byte(text)), now, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		issuer int
		serial string // content octets
		want   string // day of January; "" if it is not there
	}{
		{0, "\x01", "01"}, {0, "\x00\xff", "02"}, {1, "\x01", "03"}, {2, "\x00\xff" + strings.Repeat("\x00", 19), "04"},
		{0, "\x02", ""}, {2, "\x01", ""}, {0, "\x01\x00", ""}, {1, "\x00\xff", ""}, {0, strings.Repeat("\x7f", 21), ""},
	} {
		got := ""
		if a := v.find(all.list[tt.issuer], []byte(tt.serial)); a != nil {
			got = utcTime(a.notAfter).Format("02")
		}
		if got != tt.want {
			t.Errorf("issuer %d, serial %x: day %q, want %q", tt.issuer, tt.serial, got, tt.want)
		}
	}
	if n := len(v.of(all.list[0])) + len(v.of(all.list[1])) + len(v.of(all.list[2])); n != 4 || len(v.entries) != 4 {
		t.Errorf("%d certificates, %d of the issuers, want 4", len(v.entries), n)
	}
}

func TestInventoriesThatAreRefused(t *testing.T) {
	all := inventoryCAs(t)
	const header, date = "serial,notAfter,issuer\n", ",2027-01-01T00:00:00Z,"
	for text, want := range map[string]string{
		"":                             "no header",
		"serial,notAfter\n":            "want the columns serial, notAfter and issuer",
		"Serial,notAfter,issuer\n":     "want the columns",
		header + "01":                  "line 2",
		header + date + "CN=CA":        `line 2: serial "": 0 octets, want 1 to 20`,
		header + "0" + date + "CN=CA":  `serial "0": want a positive number`,
		header + "-1" + date + "CN=CA": "want hexadecimal digits",
		header + strings.Repeat("11", 21) + date + "CN=CA": "21 octets, want 1 to 20",
		header + "01,2027-01-01,CN=CA":                     `line 2: notAfter "2027-01-01": want a time such as`,
		header + "01" + date:                               `line 2: issuer "": no --issuer has`,
		header + "01" + date + "CN=Twin":                   `issuer "CN=Twin"`,
		header + "01" + date + "CN=CA\n\n02" + date + "x":  "line 4",
		header + "01,\"" + strings.Repeat("\n", 1<<17):     "too long",
		strings.Repeat("x", 1<<17):                         "too long",
	} {
		if _, err := loadInventory(write(t, "i.csv", []byte(text)), now, all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q in it", text, err, want)
		}
	}
	if _, err := loadInventory("/nowhere", now, all); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("absent: %v", err)
	}
}

// No inventory crashes the reader, and what it reads can be looked up.
func FuzzInventory(f *testing.F) {
	all := inventoryCAs(f)
	f.Add([]byte("serial,notAfter,issuer\n01,2027-01-01T00:00:00Z,CN=CA\n"))
	f.Add([]byte("issuer,serial,notAfter\n\"CN=CA\",00ff,2027-01-01T00:00:00+01:00\n" + "CN=CA,1,2027-01-01T00:00:00Z"))
	f.Add([]byte("serial,notAfter,issuer\n\"01,"))
	f.Add([]byte("caIssuers,serial,notAfter,issuer\nhttp://i.example/ http://i.example,1,2027-01-01T00:00:00Z,CN=CA"))
	f.Fuzz(func(t *testing.T, text []byte) {
		v := &inventory{}
		if err := v.read(bytes.NewReader(text), all); err != nil {
			return
		}
		v.sort()
		for _, a := range v.entries {
			serial := certs.Serial(new(big.Int).SetBytes(a.serial[:]))
			if got := v.find(all.list[a.issuer], serial); got == nil || *got != a {
				t.Fatalf("%x is found as %+v, want %+v", serial, got, a)
			}
		}
	})
}

// An expired response leaves a tombstone, for its certificate is ours; unless the
// inventory says that the certificate has expired, or does not know it.
func TestTombstones(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	expired := response{issuer: ca, nextUpdate: now}
	current := response{issuer: ca, serials: []string{"\x02"}}
	forged := expired
	forged.spoil = true
	elder := expired
	elder.thisUpdate, elder.producedAt, elder.nextUpdate = now.Add(-2*day), now.Add(-2*day), now.Add(-day)
	for name, tt := range map[string]struct {
		first     response
		second    response
		inventory []string
		want      string // what the store has for the serial number 01
	}{
		"expired":                             {expired, current, nil, "tombstone"},
		"expired, certificate not":            {expired, current, []string{"01 2027-01-01", "02 2027-01-01"}, "tombstone"},
		"expired like the certificate":        {expired, current, []string{"01 2026-11-20", "02 2027-01-01"}, "nothing"},
		"expired, certificate unknown":        {expired, current, []string{"02 2027-01-01"}, "nothing"},
		"forged":                              {forged, current, nil, "nothing"},
		"expired, and a current one after it": {elder, response{issuer: ca}, nil, "good"},
	} {
		c := Config{Responses: []string{write(t, "r", tt.first.der(t), tt.second.der(t))}, MaxRejects: 1, Warn: []string{"inventory.coverage"}}
		if tt.inventory != nil {
			c.Inventory = inventoryFile(t, tt.inventory)
			c.Warn = append(c.Warn, "inventory.unassigned")
		}
		report, err := run(t, ca, c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := stored(t, report, ca, "\x01"); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// A store may have tombstones alone.
func TestTombstonesAlone(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	der := response{issuer: ca, nextUpdate: now}.der(t)
	report, err := run(t, ca, Config{Responses: []string{write(t, "r", der)}, Warn: []string{"ocsp.time-expired"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := stored(t, report, ca, "\x01"); got != "tombstone" || !report.Segment.NextUpdate.IsZero() || report.Responses.Published != 0 {
		t.Errorf("%s, segment %+v, %+v", got, report.Segment, report.Responses)
	}
	checkSummary(t, report, "1 tombstones", "0 published")
}

// As many certificates as are allowed may be without a response, of all issuers
// together.
func TestMissingResponses(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	c := Config{
		Responses: []string{write(t, "r", response{issuer: ca}.der(t))}, Warn: []string{"ocsp.sha1-alone"},
		Inventory: inventoryFile(t, []string{"01 2027-01-01", "02 2027-01-01", "03 2027-01-01", "04 2026-11-20"}),
	}
	for allowed, want := range []string{"error", "error", "warning", "warning"} {
		c.MaxMissing = allowed
		report, err := run(t, ca, c)
		got := ""
		switch {
		case err != nil && len(report.Rejections) == 1:
			got = "error"
			if text := report.Rejections[0].String(); !strings.Contains(text, fmt.Sprintf(
				"2 of 3 unexpired certificates of CN=CA have no response, or not by every hash algorithm, %d allowed in all (--max-missing); the first: 02, which expires 2027-01-01T12:00:00Z [inventory.coverage]", allowed)) {
				t.Error(text)
			}
		case len(report.Warnings) == 2 && report.Warnings[0].Check == "inventory.coverage":
			got = "warning"
		}
		if got != want {
			t.Errorf("%d allowed: %q (%v), want %s", allowed, got, err, want)
		}
	}
}

// stored says what the store of a report has for a certificate of ca, by SHA-1.
func stored(t *testing.T, report *Report, ca identity, serial string) string {
	t.Helper()
	id := made(certs.ID(ca.cert, index.SHA1, []byte(serial)))
	rec, found, err := published(t, report).Lookup(id.Key(), &id)
	switch {
	case err != nil:
		t.Fatal(err)
	case !found:
		return "nothing"
	case rec.Tombstone():
		return "tombstone"
	}
	return rec.Status().String()
}

// What an inventory costs, by certificate.
func BenchmarkInventory(b *testing.B) {
	all := inventoryCAs(b)
	var text bytes.Buffer
	text.WriteString("serial,notAfter,issuer\n")
	const n = 100_000
	for i := range n {
		fmt.Fprintf(&text, "%036x,%s,CN=CA\n", i*7919+1, now.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
	}
	for b.Loop() {
		v := &inventory{}
		if err := v.read(bytes.NewReader(text.Bytes()), all); err != nil {
			b.Fatal(err)
		}
		v.sort()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "certificates/s")
}
