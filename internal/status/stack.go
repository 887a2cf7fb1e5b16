package status

import (
	"time"

	"lancre/index/store"
)

// Stack is the layers of a generation, as of now.
func Stack(m *store.Manifest, now time.Time) (list []Layer) {
	for _, line := range m.Segments {
		age := ""
		if !line.Created.IsZero() {
			age = max(0, now.Sub(line.Created)).Round(time.Second).String()
		}
		list = append(list, Layer{Role: line.Role, Shard: line.Shard.String(), Records: line.Records, Octets: line.Size, Age: age})
	}
	return list
}
