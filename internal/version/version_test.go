package version

import (
	"runtime/debug"
	"testing"
)

func TestVersionNamesReleaseOrCommit(t *testing.T) {
	const commit = "a347892ad3c7d0b52fbd1be7b4f4a9f3d1c6e850"
	for _, c := range []struct{ name, module, commit, want string }{
		{"release, by go install", "v1.2.3", "", "v1.2.3"},
		{"release, in its repository", "v1.2.3", commit, "v1.2.3 " + commit},
		{"between releases", "v1.2.4-0.20261128005941-a347892ad3c7", commit, "v1.2.4-0.20261128005941-a347892ad3c7"},
		{"changed since the commit", "v1.2.4-0.20261128005941-a347892ad3c7+dirty", commit, "v1.2.4-0.20261128005941-a347892ad3c7+dirty"},
		{"no version", "(devel)", commit, "(devel) " + commit},
		{"short commit", "(devel)", "a3478", "(devel) a3478"},
		{"no repository", "(devel)", "", "(devel)"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: c.module}}
		if c.commit != "" {
			info.Settings = []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: c.commit}}
		}
		if got := of(info); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
