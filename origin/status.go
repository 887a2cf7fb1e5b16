package origin

import (
	"time"

	"lancre/index/store"
)

// A Status is where a store stands, and who follows.
type Status struct {
	Store      string         `json:"store"`
	Origin     string         `json:"origin"`
	Generation uint64         `json:"generation"`
	Created    time.Time      `json:"created"`
	Checked    time.Time      `json:"checked,omitzero"` // when the sources were read: the oldest
	Good       uint64         `json:"good"`             // CertIDs, by what they are answered
	Revoked    uint64         `json:"revoked"`
	Unknown    uint64         `json:"unknown"`
	TryLater   uint64         `json:"try_later"` // tombstones
	NextUpdate time.Time      `json:"next_update,omitzero"`
	Files      uint64         `json:"files"`
	Held       uint64         `json:"held"`
	Bases      int            `json:"bases"`
	Deltas     int            `json:"deltas"`
	Octets     int64          `json:"octets"`            // of all layers
	Ready      *bool          `json:"ready,omitempty"`   // of who follows; nil if nobody was asked
	Reason     string         `json:"reason,omitempty"`  // why not
	Sources    []SourceStatus `json:"sources,omitempty"` // of who follows
	Upkeep     []TaskStatus   `json:"upkeep,omitempty"`  // of who follows
	Targets    []TargetStatus `json:"targets,omitempty"` // of who follows
}

// A SourceStatus is where a source stands.
type SourceStatus struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Read      time.Time `json:"read,omitzero"`     // when it was last, and all of it published
	Failure   string    `json:"failure,omitempty"` // of the last round
	Failures  int       `json:"failures"`          // in a row
	Added     uint64    `json:"added"`             // responses since the start, as all that follows
	Identical uint64    `json:"identical"`
	Refused   uint64    `json:"refused"`
	Held      uint64    `json:"held"`
}

// A TaskStatus is where a task of upkeep stands.
type TaskStatus struct {
	Name     string `json:"name"`
	Failure  string `json:"failure,omitempty"` // of the last time
	Failures int    `json:"failures"`          // in a row
}

// A TargetStatus is where a target stands.
type TargetStatus struct {
	TaskStatus
	To         string    `json:"to"`
	Generation uint64    `json:"generation"`       // that is there; 0 if it is not known
	Current    time.Time `json:"current,omitzero"` // when that was last the one of the store
}

// StatusOf is where a store stands by what its manifest says.
func StatusOf(dir string) (*Status, error) {
	m, err := store.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &Status{
		Store: dir, Origin: m.Origin, Generation: m.Generation, Created: m.Created, Checked: m.Checked,
		Files: uint64(len(m.Files)), Held: m.Held,
	}
	for _, l := range m.Live {
		s.Good += l.Good
		s.Revoked += l.Revoked
		s.Unknown += l.Unknown
		s.TryLater += l.Tombstone
	}
	for _, d := range m.Due {
		if d.Kind == store.DueResponses && s.NextUpdate.IsZero() {
			s.NextUpdate = d.Hour // they are sorted
		}
	}
	var bases, deltas int64
	s.Bases, bases = layers(m, store.RoleBase)
	s.Deltas, deltas = layers(m, store.RoleDelta)
	s.Octets = bases + deltas
	return s, nil
}

// Status is where the store and the sources stand.
func (f *Follower) Status() (*Status, error) {
	s, err := StatusOf(f.config.Store)
	if err != nil {
		return nil, err
	}
	s.Reason = f.notReady()
	ready := s.Reason == ""
	s.Ready = &ready
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.links {
		c := &l.counts
		s.Sources = append(s.Sources, SourceStatus{
			Name: l.settings.Name, Kind: l.settings.Kind, Read: l.succeeded, Failure: l.failure, Failures: l.failures,
			Added: c.added.Load(), Identical: c.identical.Load(), Refused: c.refused.Load(), Held: c.held.Load(),
		})
	}
	for _, t := range f.tasks {
		s.Upkeep = append(s.Upkeep, TaskStatus{t.name, t.failure, t.failures})
	}
	for _, o := range f.outlets {
		s.Targets = append(s.Targets, TargetStatus{TaskStatus{o.name, o.failure, o.failures}, o.target.To, o.generation, o.current})
	}
	return s, nil
}
