package rule

import (
	"fmt"
	"slices"
	"strings"
)

// A Severity is what breaking a rule leads to in one build.
type Severity uint8

// The severities, in rising order.
const (
	Ignores Severity = iota // nothing
	Warns                   // the report mentions it
	Rejects                 // the input is not published
)

func (s Severity) String() string { return [...]string{"off", "warning", "error"}[s] }

// Severities are those of every check in one build, by Check.
type Severities []Severity

// Under is the severity of every check under the given profiles.
func Under(list []Profile) Severities {
	in := setOf(list...)
	out := make(Severities, len(table))
	for i, c := range table {
		switch {
		case c.rejects&in != 0:
			out[i] = Rejects
		case c.warns&in != 0:
			out[i] = Warns
		}
	}
	return out
}

// Choice is what an operator wants of checks, by id, whatever the profiles say.
type Choice struct {
	Warn  []string // only warn
	Error []string // reject
	Force []string // only warn, this once: checks against the previous generation
	Hold  []string // put aside the response that breaks them: checks of one response
}

// An Override is a check that has another severity than in the profiles.
type Override struct {
	Check  string `json:"check"`
	Option string `json:"option"` // warn, error or force
	From   string `json:"from"`   // error, warning or off
	To     string `json:"to"`
}

// Override changes s to what the operator chose and lists what that changed.
func (s Severities) Override(by Choice) (chosen []Override, err error) {
	for _, id := range by.Hold {
		if err := holdable(id); err != nil {
			return nil, err
		}
	}
	named := make(map[string]string) // option, by check
	for _, o := range []struct {
		option string
		ids    []string
		to     Severity
	}{{"warn", by.Warn, Warns}, {"error", by.Error, Rejects}, {"force", by.Force, Warns}} {
		for _, id := range o.ids {
			c, err := selected(o.option, id)
			if err != nil {
				return nil, err
			}
			if before, ok := named[id]; ok && before != o.option {
				return nil, fmt.Errorf("--%s %s: it is under --%s as well: name it once", o.option, id, before)
			}
			if s[c] != o.to {
				chosen = append(chosen, Override{id, o.option, s[c].String(), o.to.String()})
			}
			named[id], s[c] = o.option, o.to
		}
	}
	return chosen, nil
}

// ofAll are the checks named as those of responses that none of them alone can break.
var ofAll = []Check{OCSPConflict, OCSPSHA1Alone, OCSPHashDiffers, OCSPPreviousVanished, OCSPPreviousMissing, OCSPPreviousMissingCS}

// holdable says why what breaks a check cannot be put aside; nil if it can.
func holdable(id string) error {
	c, err := find(id)
	if err != nil {
		return fmt.Errorf("--hold: %w", err)
	}
	if !strings.HasPrefix(id, "ocsp.") && c != InventoryUnassigned || slices.Contains(ofAll, c) {
		return fmt.Errorf("--hold %s: it is no check of one response, which could be put aside", id)
	}
	return nil
}

// Holdable lists the checks that --hold takes, by id.
func Holdable() (ids []string) {
	for _, c := range table[None+1:] {
		if holdable(c.id) == nil {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// selected returns the check that an option names, if the option can change it.
func selected(option, id string) (Check, error) {
	c, err := find(id)
	if err != nil {
		return None, fmt.Errorf("--%s: %w", option, err)
	}
	switch by := table[c].lowered; {
	case option == "error":
	case by == byNobody:
		return None, fmt.Errorf("--%s %s: what breaks this check cannot be published", option, id)
	case option == "warn" && by == byForce:
		return None, fmt.Errorf("--warn %s: this check compares with the previous generation: --force %[1]s lets it pass in one build", id)
	case option == "force" && by == byWarn:
		return None, fmt.Errorf("--force %s: this check does not compare with the previous generation: want --warn %[1]s", id)
	}
	return c, nil
}
