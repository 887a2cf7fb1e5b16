// Package rule holds every rule that a build checks its inputs against, says what
// breaking it leads to, and collects what breaks one.
//
// A check is declared in checks.go, which is also the order of the documentation,
// and done in the package that knows the input. There, one idiom says that a rule is
// broken:
//
//	found(rule.OCSPTimeExpired, func() string { return "expired: …" })
//
// It goes to the [Findings] of one input, or to the [Ledger] of a whole build for
// what is no input's. They heed the severity that the check has in this build, and
// ask for the reason only if somebody will read it. A parser that cannot read on
// returns a [Finding] instead, as it would an error.
package rule

import "fmt"

// A Check is one rule that an input can break: its position in the table. Only its
// id is stable: operators select and count by it.
type Check uint16

// None is the zero Check: no rule broken.
const None Check = 0

// table holds every check, by number. Only declare appends to it, while the package
// is initialised.
var table = []check{None: {id: "passed"}}

// A check says of one Check in which profiles breaking it rejects the input and in
// which it only warns. Rejecting wins where a build has several profiles.
type check struct {
	id      string
	rejects profiles
	warns   profiles
	clause  string // where the rule comes from
	text    string // the rule, as a sentence without its full stop
	lowered lowered
}

// lowered says how an operator can have a check that rejects only warn.
type lowered uint8

const (
	byWarn   lowered = iota // by --warn
	byForce                 // by --force: it compares with the previous generation
	byNobody                // not at all: what breaks it cannot be published, or nobody should
)

// option is what it is called on the command line, without hyphens; "" if there is none.
func (l lowered) option() string {
	return [...]string{byWarn: "warn", byForce: "force", byNobody: ""}[l]
}

func declare(id string, rejects, warns profiles, clause, text string) Check {
	table = append(table, check{id: id, rejects: rejects, warns: warns, clause: clause, text: text})
	return Check(len(table) - 1)
}

// fixed declares a check that always rejects, whatever an operator wants.
func fixed(id, clause, text string) Check {
	c := declare(id, always, never, clause, text)
	table[c].lowered = byNobody
	return c
}

// forced declares a check against the previous generation. What breaks it may be
// meant, but only once: --force lets it pass in one build.
func forced(id string, rejects, warns profiles, clause, text string) Check {
	c := declare(id, rejects, warns, clause, text)
	table[c].lowered = byForce
	return c
}

// Option is the option of the command line that publishes what breaks c all the same;
// "" if none does.
func (c Check) Option() string {
	if option := table[c].lowered.option(); option != "" {
		return fmt.Sprintf("--%s %s", option, c)
	}
	return ""
}

// String is the id.
func (c Check) String() string { return table[c].id }

// find returns the check with that id.
func find(id string) (Check, error) {
	for c := None + 1; int(c) < len(table); c++ {
		if table[c].id == id {
			return c, nil
		}
	}
	return None, fmt.Errorf("no check is called %q (lancre checks lists them)", id)
}

// A Description describes one check.
type Description struct {
	ID       string `json:"id"`       // stable
	Severity string `json:"severity"` // error, warning or off
	Lowered  string `json:"lowered"`  // option that makes an error a warning: warn or force; empty if none can
	Rule     string `json:"rule"`
	Clause   string `json:"clause"` // where the rule comes from
}

// Describe lists every check, in the order of the documentation, with the severity
// it has under the profiles, which add up; without any, under Private.
func Describe(list ...Profile) []Description {
	if len(list) == 0 {
		list = []Profile{Private}
	}
	of := Under(list)
	var out []Description
	for i, c := range table[None+1:] {
		out = append(out, Description{ID: c.id, Severity: of[i+1].String(), Lowered: c.lowered.option(), Rule: c.text, Clause: c.clause})
	}
	return out
}
