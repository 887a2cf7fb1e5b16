package build

import "fmt"

// A severity is what breaking a rule leads to in one build.
type severity uint8

const (
	ignores severity = iota
	warns
	rejects
)

func (s severity) String() string { return [...]string{"off", "warning", "error"}[s] }

// severities is the severity of every check under the given profiles.
func severities(list []Profile) []severity {
	in := setOf(list...)
	out := make([]severity, len(checkTable))
	for i, r := range checkTable {
		switch {
		case r.rejects&in != 0:
			out[i] = rejects
		case r.warns&in != 0:
			out[i] = warns
		}
	}
	return out
}

// An Override is a check that has another severity than in the profiles.
type Override struct {
	Check  string `json:"check"`
	Option string `json:"option"` // warn, error or force
	From   string `json:"from"`   // error, warning or off
	To     string `json:"to"`
}

// severities is the severity of every check in the build, and which of them the
// operator chose.
func (c *Config) severities() (list []severity, chosen []Override, err error) {
	list = severities(c.Profiles)
	named := make(map[string]string) // option, by check
	for _, o := range []struct {
		option string
		ids    []string
		to     severity
	}{{"warn", c.Warn, warns}, {"error", c.Error, rejects}, {"force", c.Force, warns}} {
		for _, id := range o.ids {
			check, err := selectCheck(o.option, id)
			if err != nil {
				return nil, nil, err
			}
			if before, ok := named[id]; ok && before != o.option {
				return nil, nil, fmt.Errorf("--%s %s: it is under --%s as well: name it once", o.option, id, before)
			}
			if list[check] != o.to {
				chosen = append(chosen, Override{id, o.option, list[check].String(), o.to.String()})
			}
			named[id], list[check] = o.option, o.to
		}
	}
	return list, chosen, nil
}

// selectCheck returns the check that an option names, if the option can change it.
func selectCheck(option, id string) (check, error) {
	c, err := findCheck(id)
	if err != nil {
		return passed, fmt.Errorf("--%s: %w", option, err)
	}
	switch by := checkTable[c].lowered; {
	case option == "error":
	case by == byNobody:
		return passed, fmt.Errorf("--%s %s: what breaks this check cannot be published", option, id)
	case option == "warn" && by == byForce:
		return passed, fmt.Errorf("--warn %s: this check compares with the previous generation: --force %[1]s lets it pass in one build", id)
	case option == "force" && by == byWarn:
		return passed, fmt.Errorf("--force %s: this check does not compare with the previous generation: want --warn %[1]s", id)
	}
	return c, nil
}

// A Check describes one rule that inputs are checked against.
type Check struct {
	ID       string `json:"id"`       // stable
	Severity string `json:"severity"` // error, warning or off
	Lowered  string `json:"lowered"`  // option that makes an error a warning: warn or force; empty if none can
	Rule     string `json:"rule"`
	Clause   string `json:"clause"` // where the rule comes from
}

// Checks lists every check with the severity it has under the profiles, which
// add up; without any, under ProfilePrivate.
func Checks(list ...Profile) []Check {
	if len(list) == 0 {
		list = []Profile{ProfilePrivate}
	}
	of := severities(list)
	var out []Check
	for i, r := range checkTable[passed+1:] {
		by := [...]string{byWarn: "warn", byForce: "force", byNobody: ""}[r.lowered]
		out = append(out, Check{ID: r.id, Severity: of[i+1].String(), Lowered: by, Rule: r.text, Clause: r.clause})
	}
	return out
}
