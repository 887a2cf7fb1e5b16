package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// exposure is what systemd-analyze may find at most, in tenths: 2.0 of 10.
const exposure = "20"

func TestServiceIsConfined(t *testing.T) {
	for _, unit := range []string{"systemd/lancred.service", "systemd/lancre-follow.service"} {
		systemd(t, "systemd-analyze", "security", "--offline=true", "--threshold="+exposure, unit)
	}
}

// systemd-analyze wants the programs that units name, and ours is not installed.
func TestUnitsAreValid(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"lancred.service", "lancred.socket", "lancre-follow.service"} {
		unit, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		unit = []byte(strings.NewReplacer("/usr/local/bin/lancred", "/bin/true", "/usr/local/bin/lancre", "/bin/true").Replace(string(unit)))
		if err := os.WriteFile(filepath.Join(dir, name), unit, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := systemd(t, "systemd-analyze", "verify", filepath.Join(dir, "lancred.service"), filepath.Join(dir, "lancred.socket"), filepath.Join(dir, "lancre-follow.service"))
	for line := range strings.Lines(out) {
		if strings.Contains(line, dir) { // the host's own units are of no interest
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
}

func TestUsersAreValid(t *testing.T) {
	file, err := filepath.Abs("systemd/sysusers.conf")
	if err != nil {
		t.Fatal(err)
	}
	out := systemd(t, "systemd-sysusers", "--dry-run", file)
	for _, user := range []string{"'lancre'", "'lancred'"} {
		if !strings.Contains(out, user) {
			t.Errorf("systemd-sysusers would make no user %s:\n%s", user, out)
		}
	}
}

// systemd runs one of its programs, which must succeed.
func systemd(t *testing.T, program string, args ...string) string {
	t.Helper()
	programs.Need(t, program)
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}
