package rule

import (
	"fmt"
	"strings"
)

// A Profile is a set of rules beyond the RFCs that inputs are checked against.
type Profile uint8

// The profiles, each named for whose rules it holds.
const (
	Private Profile = iota // none: a private PKI
	BR                     // CA/Browser Forum TLS Baseline Requirements
	MS                     // Microsoft Trusted Root Program
	Moz                    // Mozilla Root Store Policy
	CS                     // CA/Browser Forum code signing requirements
	SMIME                  // CA/Browser Forum S/MIME Baseline Requirements
)

var profileNames = [...]string{"private", "br", "ms", "moz", "cs", "smime"}

// ProfileNames lists what ParseProfile reads.
func ProfileNames() []string { return profileNames[:] }

// ParseProfile reads a profile's name as String prints it.
func ParseProfile(name string) (Profile, error) {
	for i, n := range profileNames {
		if n == name {
			return Profile(i), nil
		}
	}
	return 0, fmt.Errorf("profile %q: want one of %s", name, strings.Join(profileNames[:], ", "))
}

func (p Profile) String() string { return profileNames[p] }

// profiles is a set of them, bit 1<<p for profile p.
type profiles uint8

func setOf(list ...Profile) profiles {
	var s profiles
	for _, p := range list {
		s |= 1 << p
	}
	return s
}

// never and always are the empty set and the full one.
const (
	never  profiles = 0
	always profiles = 1<<len(profileNames) - 1
)
