package index

import "testing"

// What leads nowhere is not entered, and what is entered leads somewhere.
func TestSlotsLead(t *testing.T) {
	file, responses := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	slots := s.Slots()
	for _, der := range responses {
		id := parse(t, der).Singles[0].CertID
		if !slots.Lead(id.Key()) {
			t.Errorf("%s leads nowhere", &id)
		}
		for i := range 100 {
			id.Serial = []byte{0x7f, byte(i)}
			_, found, err := s.Lookup(id.Key(), &id)
			if err != nil || found || slots.Lead(id.Key()) {
				t.Errorf("%s, which is not entered: found %t, leads somewhere %t, %v", &id, found, slots.Lead(id.Key()), err)
			}
		}
	}
	s.Close()
	if slots := s.Slots(); slots.Lead(0) {
		t.Error("a segment that is closed leads somewhere")
	}
}
