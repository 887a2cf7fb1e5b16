// Package version tells which build of the module a program is.
package version

import (
	"runtime/debug"
	"strings"
)

// described is set by the linker in packages: what git describe says of their commit.
var described string

// String is described, or else what the go command recorded in the running program: the
// version of the module, with the commit it was built from where the version does not
// name it.
func String() string {
	if described != "" {
		return described
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return of(info)
}

// abbreviated is how many digits of a commit a pseudo-version has
// (golang.org/ref/mod#pseudo-versions).
const abbreviated = 12

func of(info *debug.BuildInfo) string {
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(abbreviated, len(s.Value))]) {
			v += " " + s.Value
		}
	}
	return v
}
