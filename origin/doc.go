// Package origin is the loop at the origin: it follows what a CA changes, wherever the CA
// puts it, and publishes it as generations of a store.
//
//	sources ──► build.Add ──► STORE ──► targets: buckets and directories
//	package     one a source,   ▲       package fleet/publish, beside it
//	source      on all cores    └── merges, heartbeats, gc: beside it
//
// Every source has a goroutine of its own, which reads a round, publishes what is new in
// it, and waits for the next: as soon as something came, and at most once a second. They
// share nothing but the store, whose lock orders their commits, so that a source that is
// slow, broken or large stands in nobody's way. What fails is tried again, ever less often,
// until it works; a source acknowledges what it has read only when that is durable.
//
// Every target has a goroutine of its own as well. It publishes the newest generation when
// there is one, and where it takes long or fails, leaves out those between.
//
// Heartbeats publish that nothing is new: each generation says when the sources were read
// last (checked), the oldest of them. That of a dead database stays behind however many
// heartbeats there are, and edges say so on /freshz.
//
// Manifests have the marks of sources, and one of the loop itself, the number of its
// publication: a store that went back to an earlier generation is noticed by it, and all
// sources are read again from there. See position.go.
package origin
