package origin

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lancre/build"
	"lancre/index/store"
	"lancre/internal/admin"
)

// sourceCounts are what is counted of one source.
type sourceCounts struct {
	published atomic.Uint64 // generations
	added     atomic.Uint64 // responses
	identical atomic.Uint64 // CertIDs
	held      atomic.Uint64 // responses
	refused   atomic.Uint64 // responses and files
	octets    atomic.Uint64 // of segments
	failures  atomic.Uint64 // rounds
}

// add counts what one addition has done.
func (c *sourceCounts) add(r *build.Report) {
	n := r.Responses
	c.identical.Add(n.Identical)
	c.held.Add(n.Held)
	if r.Generation == 0 {
		return
	}
	c.published.Add(1)
	c.added.Add(n.Published)
	for _, s := range r.Segments {
		c.octets.Add(uint64(s.Size))
	}
}

// metrics is what a Follower counts. It is a prometheus.Collector for what is known of
// the sources and the store when somebody asks.
type metrics struct {
	follower     *Follower
	generations  prometheus.Counter
	merged       prometheus.Counter
	taskFailures *prometheus.CounterVec
	registry     *prometheus.Registry
}

func newMetrics(f *Follower) *metrics {
	m := &metrics{
		follower: f,
		generations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lancre_generations_total", Help: "Generations published, heartbeats included."}),
		merged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lancre_merged_octets_total", Help: "Octets that merges wrote."}),
		taskFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lancre_upkeep_failures_total", Help: "Heartbeats, merges, collections and publications to a target that failed.",
		}, []string{"task"}),
		registry: admin.NewRegistry(),
	}
	for _, t := range f.tasks {
		m.taskFailures.WithLabelValues(t.name)
	}
	for _, o := range f.outlets {
		m.taskFailures.WithLabelValues(o.name)
	}
	m.registry.MustRegister(m, m.generations, m.merged, m.taskFailures)
	return m
}

func sourceDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"source"}, nil)
}

// What is known of each source.
var (
	addedDesc     = sourceDesc("lancre_source_responses_total", "Responses of a source that were published.")
	identicalDesc = sourceDesc("lancre_source_identical_total", "CertIDs of responses of a source that said what is answered already.")
	heldDesc      = sourceDesc("lancre_source_held_total", "Responses put aside in additions of a source, those that were aside before included.")
	refusedDesc   = sourceDesc("lancre_source_refused_total", "Responses and files of a source that were refused.")
	octetsDesc    = sourceDesc("lancre_source_octets_total", "Octets of segments that were written for a source.")
	failuresDesc  = sourceDesc("lancre_source_failures_total", "Rounds of a source that failed.")
	successDesc   = sourceDesc("lancre_source_read_timestamp_seconds", "When a source was last read, and all of it published.")
	failingDesc   = sourceDesc("lancre_source_failing", "Whether the last round of a source failed.")
)

func targetDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"target"}, nil)
}

// What is known of each target.
var (
	targetGenerationDesc  = targetDesc("lancre_target_generation", "Generation that a target has, as far as is known; 0 if it is not.")
	targetCurrentDesc     = targetDesc("lancre_target_current_timestamp_seconds", "When a target last had the generation of the store; 0 if it never had.")
	targetFailingDesc     = targetDesc("lancre_target_failing", "Whether the last publication to a target failed.")
	targetGenerationsDesc = targetDesc("lancre_target_generations_total", "Generations published to a target.")
	targetOctetsDesc      = targetDesc("lancre_target_octets_total", "Octets of objects that a target was sent.")
)

// What is known of the store.
var (
	generationDesc = prometheus.NewDesc("lancre_generation", "Generation of the store.", nil, nil)
	createdDesc    = prometheus.NewDesc("lancre_created_timestamp_seconds", "When that generation was published.", nil, nil)
	checkedDesc    = prometheus.NewDesc("lancre_checked_timestamp_seconds", "When, by that generation, the sources were read: the oldest of them.", nil, nil)
	heldNowDesc    = prometheus.NewDesc("lancre_held", "Responses that are put aside.", nil, nil)
	linesDesc      = prometheus.NewDesc("lancre_lines", "Layers of the store, by role.", []string{"role"}, nil)
	layersDesc     = prometheus.NewDesc("lancre_octets", "Octets of the layers of the store, by role: what deltas have is to be merged.", []string{"role"}, nil)
	readyDesc      = prometheus.NewDesc("lancre_ready", "Whether /readyz says so.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		addedDesc, identicalDesc, heldDesc, refusedDesc, octetsDesc, failuresDesc, successDesc, failingDesc,
		targetGenerationDesc, targetCurrentDesc, targetFailingDesc, targetGenerationsDesc, targetOctetsDesc,
		generationDesc, createdDesc, checkedDesc, heldNowDesc, linesDesc, layersDesc, readyDesc,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, l := range m.follower.links {
		m.collectSource(ch, l)
	}
	for _, o := range m.follower.outlets {
		collectTarget(ch, o)
	}
	gauge(readyDesc, truth(m.follower.notReady() == ""))
	manifest, err := store.ReadManifest(m.follower.config.Store)
	if err != nil {
		return // absent is what it is then
	}
	gauge(generationDesc, float64(manifest.Generation))
	gauge(createdDesc, float64(manifest.Created.Unix()))
	if !manifest.Checked.IsZero() {
		gauge(checkedDesc, float64(manifest.Checked.Unix()))
	}
	gauge(heldNowDesc, float64(manifest.Held))
	for _, role := range []string{store.RoleBase, store.RoleDelta} {
		lines, octets := layers(manifest, role)
		gauge(linesDesc, float64(lines), role)
		gauge(layersDesc, float64(octets), role)
	}
}

func (m *metrics) collectSource(ch chan<- prometheus.Metric, l *link) {
	for d, v := range map[*prometheus.Desc]*atomic.Uint64{
		addedDesc: &l.counts.added, identicalDesc: &l.counts.identical, heldDesc: &l.counts.held,
		refusedDesc: &l.counts.refused, octetsDesc: &l.counts.octets, failuresDesc: &l.counts.failures,
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v.Load()), l.settings.Name)
	}
	l.mu.Lock()
	succeeded, failing := l.succeeded, l.failures > 0
	l.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(successDesc, prometheus.GaugeValue, seconds(succeeded), l.settings.Name)
	ch <- prometheus.MustNewConstMetric(failingDesc, prometheus.GaugeValue, truth(failing), l.settings.Name)
}

func collectTarget(ch chan<- prometheus.Metric, o *outlet) {
	o.mu.Lock()
	generation, current, failing := o.generation, o.current, o.failures > 0
	o.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(targetGenerationDesc, prometheus.GaugeValue, float64(generation), o.name)
	ch <- prometheus.MustNewConstMetric(targetCurrentDesc, prometheus.GaugeValue, seconds(current), o.name)
	ch <- prometheus.MustNewConstMetric(targetFailingDesc, prometheus.GaugeValue, truth(failing), o.name)
	ch <- prometheus.MustNewConstMetric(targetGenerationsDesc, prometheus.CounterValue, float64(o.generations.Load()), o.name)
	ch <- prometheus.MustNewConstMetric(targetOctetsDesc, prometheus.CounterValue, float64(o.octets.Load()), o.name)
}

// layers counts the lines of a role, and their octets.
func layers(m *store.Manifest, role string) (lines int, octets int64) {
	for i := range m.Segments {
		if m.Segments[i].Role == role {
			lines++
			octets += m.Segments[i].Size
		}
	}
	return lines, octets
}

// seconds is Unix time, 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
