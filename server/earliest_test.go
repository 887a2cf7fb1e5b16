package server

import (
	"crypto"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// What counts for readiness is when the first response being served expires, not
// when one did that was replaced.
func TestEarliestNextUpdate(t *testing.T) {
	at := func(serial string, hours int) entry {
		return entry{DER: respond(serial, crypto.SHA1, ocsp.Good, start.Add(time.Duration(hours)*time.Hour))}
	}
	withdrawn := func(serial string) entry {
		e := at(serial, 0)
		e.Tombstone = true
		return e
	}
	for _, c := range []struct {
		name     string
		segments [][]entry // newest first
		want     int       // hours after start+life; −1 for none
	}{
		{"files alone", nil, -1},
		{"one segment", [][]entry{{at("01", 5), at("02", 3)}}, 3},
		{"all replaced", [][]entry{{at("01", 9), at("02", 8)}, {at("01", 5), at("02", 3)}}, 8},
		{"one replaced", [][]entry{{at("02", 8)}, {at("01", 5), at("02", 3)}}, 5},
		{"the later one replaced", [][]entry{{at("01", 8)}, {at("01", 5), at("02", 3)}}, 3},
		{"replaced twice", [][]entry{{at("01", 9)}, {at("01", 7)}, {at("01", 5)}}, 9},
		{"withdrawn", [][]entry{{withdrawn("02")}, {at("01", 5), at("02", 3)}}, 5},
		{"all withdrawn", [][]entry{{withdrawn("02")}, {at("02", 3)}}, -1},
		{"older ones are later", [][]entry{{at("01", 1)}, {at("02", 3)}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := files()
			all.segments = c.segments
			e := newEdge(t, all)
			want := int64(0)
			if c.want >= 0 {
				want = start.Add(life + time.Duration(c.want)*time.Hour).Unix()
			}
			if got := e.current.Load().nextUpdate; got != want {
				t.Errorf("nextUpdate is %v, want %v", time.Unix(got, 0).UTC(), time.Unix(want, 0).UTC())
			}
			for below := 1; below < len(c.segments); below++ {
				all.segments = c.segments[below:]
				e := newEdge(t, all)
				all.segments = c.segments
				publish(t, e.dir, all)
				wantReload(t, e, Swapped, "")
				if got := e.current.Load().nextUpdate; got != want {
					t.Errorf("on top of %d segments it is %v, want %v", len(c.segments)-below, time.Unix(got, 0).UTC(), time.Unix(want, 0).UTC())
				}
			}
		})
	}
}

// A record that cannot be read may be one that is served.
func TestEarliestNextUpdateOfCorruptRecord(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{
		{{DER: respond("05", crypto.SHA1, ocsp.Good, start.Add(time.Hour))}}, good("05"),
	}})
	g := e.current.Load().store
	var at int64
	if err := g.Segments()[1].Records(func(rec index.Record) bool { at = rec.Offset() + int64(rec.Size()) - 1; return true }); err != nil {
		t.Fatal(err)
	}
	flipInPlace(t, filepath.Join(e.dir, "objects", g.Manifest().Segments[1].SHA256), at)
	if got, want := earliest(g), start.Add(life).Unix(); got != want {
		t.Errorf("nextUpdate is %v, want %v", got, want)
	}
}
