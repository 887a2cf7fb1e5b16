package build

import "fmt"

// A check is one rule an input can break: its position in checkTable. Only its id
// is stable: operators select and count by it.
type check uint16

// passed is the zero check: no rule broken.
const passed check = 0

// checkTable holds every check, grouped by the files that declare them. Only
// newCheck appends to it, while the package is initialised.
var checkTable = []rule{passed: {id: "passed"}}

// A rule is what checkTable says of one check: in which profiles breaking it
// rejects the input and in which it only warns. Rejecting wins where a build
// has several profiles.
type rule struct {
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
	byWarn   lowered = iota // by Config.Warn
	byForce                 // by Config.Force: it compares with the previous generation
	byNobody                // not at all: what breaks it cannot be published, or nobody should
)

func newCheck(id string, rejects, warns profiles, clause, text string) check {
	checkTable = append(checkTable, rule{id: id, rejects: rejects, warns: warns, clause: clause, text: text})
	return check(len(checkTable) - 1)
}

// newFixedCheck declares a check that always rejects, whatever an operator wants.
func newFixedCheck(id, clause, text string) check {
	c := newCheck(id, always, never, clause, text)
	checkTable[c].lowered = byNobody
	return c
}

// newForcedCheck declares a check against the previous generation. What breaks it
// may be meant, but only once: Config.Force lets it pass in one build.
func newForcedCheck(id string, rejects, warns profiles, clause, text string) check {
	c := newCheck(id, rejects, warns, clause, text)
	checkTable[c].lowered = byForce
	return c
}

// Sets of profiles that rules have in common.
var (
	notPrivate  = always &^ onlyPrivate
	onlyPrivate = setOf(ProfilePrivate)
	onlyBR      = setOf(ProfileBR)
)

func (c check) String() string { return checkTable[c].id }

// findCheck returns the check with that id.
func findCheck(id string) (check, error) {
	for i := passed + 1; int(i) < len(checkTable); i++ {
		if checkTable[i].id == id {
			return i, nil
		}
	}
	return passed, fmt.Errorf("no check is called %q (lancre checks lists them)", id)
}

// A finding is one rule broken, and how.
type finding struct {
	check  check
	reason string
}
