package rule

import (
	"strings"
	"testing"
)

// What a stranger wrote into names neither forges lines nor steers a terminal, and
// cannot fill a report.
func TestWhatIsFoundIsLegible(t *testing.T) {
	at := Place{Source: "a\nb.der", Member: "\x1b[2J\u202e", Offset: 7}
	because := Because("of %s", "CN=x\nrejected  nothing\x07"+strings.Repeat("y", 10_000))
	l := NewLedger(Under([]Profile{Private}))
	l.Found(OCSPDER, at, "01", because)
	l.Warn(OCSPDual, at, "01", because)
	var f Findings
	f.Begin(l, at)
	f.Found(OCSPKey, because)
	broken := f.Rejection()
	l.Reject(&broken)
	texts := []string{Broken(OCSPDER, "of %s", "CN=x\nrejected  nothing\x07"+strings.Repeat("y", 10_000)).Reason, l.Warnings()[0].Reason}
	for _, r := range l.Rejections() {
		texts = append(texts, r.Reason)
		if want := `a\nb.der(\x1b[2J\u202e) offset 7`; !strings.HasPrefix(r.String(), want) {
			t.Errorf("place is %.80s, want %s", r, want)
		}
	}
	for _, text := range texts {
		if !strings.HasPrefix(text, `of CN=x\nrejected  nothing\ay`) || len(text) > maxReason {
			t.Errorf("reason of %d octets is %.80s", len(text), text)
		}
	}
}

// A serial number is spelled as far as any reaches.
func TestLongSerial(t *testing.T) {
	var f Findings
	f.About(make([]byte, 100_000))
	f.Found(OCSPSerial, Because("it is too long"))
	if n := len(f.All()[0].Serial); n != 2*maxSerial {
		t.Errorf("%d digits, want %d", n, 2*maxSerial)
	}
}

// However much is rejected, what is kept of it has a bound; that it was rejected, where
// and by which check is always said.
func TestLedgerIsBounded(t *testing.T) {
	l := NewLedger(Under([]Profile{Private}))
	member := strings.Repeat("m", 4000)
	const count = 3 * maxOctets / 4000
	for i := range count {
		l.Found(OCSPDER, Place{Source: "a.tar", Member: member, Offset: int64(i)}, "01", Because("it is junk"))
	}
	kept := 0
	for i, r := range l.Rejections() {
		kept += len(r.Place.Member)
		if r.Place.Source != "a.tar" || r.Place.Offset != int64(i) || r.Check != "ocsp.der" || r.Clause == "" {
			t.Fatalf("rejection %d is %+.100v", i, r)
		}
	}
	first, last := l.Rejections()[0], l.Rejections()[count-1]
	if kept > maxOctets || kept < maxOctets*9/10 || first.Reason != "it is junk" || last.Reason != unsaid {
		t.Errorf("%d octets are kept of %d, the last says %q", kept, maxOctets, last.Reason)
	}
}

// Who mends a response wants to know all that is wrong with it, not the first thing.
func TestRejectionNamesAll(t *testing.T) {
	var f Findings
	f.Begin(NewLedger(Under([]Profile{BR})), Place{Source: "a.der"})
	f.Found(OCSPDual, Because("two are in it")) // warns
	f.Found(OCSPSignature, Because("it does not verify"))
	f.Found(OCSPKey, Because("the key is short"))
	l := f.ledger
	broken := f.Rejection()
	l.Reject(&broken)
	const want = "a.der offset 0: it does not verify [ocsp.signature]; also the key is short [ocsp.key] (to publish it all the same: --warn ocsp.key)"
	if got := l.Rejections()[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
