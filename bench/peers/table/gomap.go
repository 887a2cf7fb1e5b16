package table

// GoMap is a Go map on the heap.
var GoMap = Kind{"map", func(_ string, entries []Entry) (Table, error) {
	m := make(goMap, len(entries))
	for _, e := range entries {
		m[string(e.Key)] = e.Value
	}
	return m, nil
}}

type goMap map[string][]byte

func (m goMap) Find(key []byte) (byte, bool) {
	value, found := m[string(key)]
	return lastOctet(value), found
}

func (m goMap) AppendValue(dst, key []byte) ([]byte, bool) {
	value, found := m[string(key)]
	return append(dst, value...), found
}

func (m goMap) Close() error { return nil }
