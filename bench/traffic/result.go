package traffic

import "time"

// A Result is what became of one load run.
type Result struct {
	Begin    time.Time `json:"begin"`
	Seconds  float64   `json:"seconds"`
	Answered uint64    `json:"answered"` // the wrong ones included
	Wrong    uint64    `json:"wrong"`    // another status than 200, or another body
	Failed   uint64    `json:"failed"`   // connections refused or cut off
	Unsent   uint64    `json:"unsent"`   // due, but no connection was free until the end; open loop
	Latency
	Windows []Window `json:"windows,omitempty"` // one for each second since Begin
}

// PerSecond is the rate of answers.
func (r *Result) PerSecond() float64 { return float64(r.Answered) / r.Seconds }

// A Window is one second of a run: the requests that were to be sent in it.
type Window struct {
	Answered uint64 `json:"answered"`
	Latency
}

// Latency is quantiles of the time to the whole answer, in microseconds. A closed
// loop counts from when a request was sent, an open one from when it was due.
type Latency struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}
