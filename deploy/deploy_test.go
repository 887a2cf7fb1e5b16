package deploy

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lancre/internal/programs"
)

func TestMain(m *testing.M) {
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where bird and keepalived are
	os.Exit(m.Run())
}

// exposure is what systemd-analyze may find at most, in tenths: 2.0 of 10.
const exposure = "20"

func TestServicesAreConfined(t *testing.T) {
	for _, name := range units(t, "*.service") {
		run(t, "systemd-analyze", "security", "--offline=true", "--threshold="+exposure, filepath.Join("systemd", name))
	}
}

// units are the names of the units that pattern matches.
func units(t *testing.T, pattern string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("systemd", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d units match %s: %v", len(paths), pattern, err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// systemd-analyze wants the programs that units name, and ours is not installed.
func TestUnitsAreValid(t *testing.T) {
	dir := t.TempDir()
	args := []string{"verify"}
	for _, name := range append(units(t, "*.service"), units(t, "*.socket")...) {
		unit, err := os.ReadFile(filepath.Join("systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		unit = regexp.MustCompile(`(?m)^(Exec\w+=)lancred? `).ReplaceAll(unit, []byte("${1}/bin/true "))
		if err := os.WriteFile(filepath.Join(dir, name), unit, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, filepath.Join(dir, name))
	}
	out := run(t, "systemd-analyze", args...)
	for line := range strings.Lines(out) {
		if strings.Contains(line, dir) { // the host's own units are of no interest
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
}

func TestUsersAreValid(t *testing.T) {
	for name, users := range map[string][]string{"lancre": {"'lancre'"}, "lancred": {"'lancre'", "'lancred'"}} {
		file, err := filepath.Abs("systemd/" + name + ".sysusers")
		if err != nil {
			t.Fatal(err)
		}
		out := run(t, "systemd-sysusers", "--dry-run", file)
		for _, user := range users {
			if !strings.Contains(out, user) {
				t.Errorf("systemd-sysusers would make no user %s of %s:\n%s", user, file, out)
			}
		}
	}
}

// What is shown of other programs' configuration is theirs.
func TestAnycastConfigurationIsValid(t *testing.T) {
	for _, command := range [][]string{
		{"bird", "-p", "-c", "anycast/bird-edge.conf"},
		{"bird", "-p", "-c", "anycast/bird-router.conf"},
		{"sh", "-n", "anycast/exabgp-lancred"},
	} {
		run(t, command[0], command[1:]...)
	}
}

func TestAlarmsFire(t *testing.T) {
	run(t, "promtool", "check", "rules", "prometheus/rules.yml")
	run(t, "promtool", "test", "rules", "prometheus/rules_test.yml")
}

// Each alarm has a case in which it fires, and one in which it does not.
func TestAlarmsHaveCases(t *testing.T) {
	cases := read(t, "prometheus/rules_test.yml")
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(read(t, "prometheus/rules.yml"), -1) {
		for _, which := range []string{"fires", "does not"} {
			if want := "- name: " + m[1] + " " + which + "\n"; !strings.Contains(cases, want) {
				t.Errorf("rules_test.yml has no case that %s %s", m[1], which)
			}
		}
	}
}

// What is to raise an alarm, as the documentation says, does.
func TestAlarmsAreThoseOfTheDocumentation(t *testing.T) {
	rules := read(t, "prometheus/rules.yml")
	for _, page := range []string{"../docs/OPERATIONS.md", "../docs/FLEET.md"} {
		rows := regexp.MustCompile("(?m)^\\| `((?:[^`]*lancred?_|process_|up\\{)[^`]*)`[^|]*\\| .*\\| .*\\|$").FindAllStringSubmatch(read(t, page), -1)
		if len(rows) == 0 {
			t.Errorf("%s has no table of conditions", page)
		}
		for _, row := range rows {
			if expr := strings.ReplaceAll(row[1], `\|`, "|"); !strings.Contains(rules, expr) {
				t.Errorf("%s raises an alarm on %s, rules.yml does not", page, row[1])
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keepalived ends a test of its configuration with SIGTERM to itself, whatever came of
// it: what it prints tells.
func TestKeepalivedConfigurationIsValid(t *testing.T) {
	programs.Need(t, "keepalived")
	cmd := exec.Command("keepalived", "--config-test", "-f", keepalived(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // and not to us
	if out, err := cmd.CombinedOutput(); len(out) > 0 {
		t.Errorf("keepalived: %v\n%s", err, out)
	}
}

// keepalived is a copy of its configuration, for an interface that this machine has.
func keepalived(t *testing.T) string {
	t.Helper()
	interfaces, err := net.Interfaces()
	i := slices.IndexFunc(interfaces, func(i net.Interface) bool { return i.Flags&(net.FlagLoopback|net.FlagUp) == net.FlagUp })
	if err != nil || i < 0 {
		t.Skipf("NOT RUN: keepalived wants an interface that is no loopback: %v", err)
	}
	path := filepath.Join(t.TempDir(), "keepalived.conf")
	if err := os.WriteFile(path, []byte(strings.Replace(read(t, "anycast/keepalived.conf"), "interface uplink", "interface "+interfaces[i].Name, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program, which must succeed.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	programs.Need(t, program)
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}
