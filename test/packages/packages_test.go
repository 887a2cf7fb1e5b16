// Package packages installs what scripts/package makes in a Debian of its own, upgrades
// it, removes it and purges it.
package packages

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// built has the packages, of this machine's architecture, when TestMain has begun.
var built string

func TestMain(m *testing.M) {
	if programs.RaceDetected() { // nothing that is tested here runs in this process
		fmt.Println("NOT RUN: packages have no race detector in them: run the tests without it")
		os.Exit(0)
	}
	if _, err := os.Stat("../../.git"); err != nil { // a directory, or a file in a worktree
		fmt.Println("NOT RUN: packages have their version from git, and this is no checkout of it")
		os.Exit(0)
	}
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	dir, err := os.MkdirTemp("", "lancre-packages-")
	if err == nil {
		built = dir
		err = build(dir)
	}
	status := 1
	if err == nil {
		status = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// build makes packages in dir.
func build(dir string, env ...string) error {
	cmd := exec.Command("../../scripts/package", dir, runtime.GOARCH)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

func TestSameCommitMakesSameOctets(t *testing.T) {
	again := t.TempDir()
	if err := build(again, "TZ=Pacific/Kiritimati", "LC_ALL=C.UTF-8", "TMPDIR="+t.TempDir()); err != nil {
		t.Fatal(err)
	}
	first, second := read(t, built, "SHA256SUMS"), read(t, again, "SHA256SUMS")
	if first != second || strings.Count(first, "\n") != 9 { // three programs, each a .deb, an .rpm and an SBOM
		t.Errorf("first\n%s\nthen\n%s\nwant the same nine", first, second)
	}
}

func TestInstallUpgradeRemoveAndPurge(t *testing.T) {
	d := newDebian(t)
	d.run("sh", "-c", "dpkg --install /packages/*.deb")
	// Not lancred-announce, which is part of a bird.service that is not there.
	d.run("systemd-analyze", "verify", "lancred.service", "lancred.socket", "lancred-pull.service", "lancre-follow.service")
	for _, path := range []string{
		"/usr/share/man/man8/lancred-pull.8.gz", "/usr/share/man/man1/lancre-build.1.gz", "/usr/share/bash-completion/completions/lancre",
		"/usr/share/zsh/vendor-completions/_lancred", "/usr/share/fish/vendor_completions.d/lancre.fish",
		"/usr/share/lancre/prometheus/rules.yml", "/usr/share/lancre/grafana/dashboard.json", "/usr/share/man/man1/lancre-pkcs11.1.gz",
	} {
		d.run("test", "-s", path)
	}
	d.run("lancre", "demo", "--out", "/var/lib/lancre-origin/demo", "--responses", "100")
	d.run("sh", "-c", "cp -R /var/lib/lancre-origin/demo/store/. /var/lib/lancre && chown -R lancre: /var/lib/lancre")
	d.run("lancre-pkcs11", "--version") // with this Debian's C library
	store := d.run("find", "/var/lib/lancre", "-type", "f", "-exec", "sha256sum", "{}", "+")
	d.serves()

	d.mockManager()
	d.run("sh", "-c", "dpkg --install /packages/*.deb") // over itself, as an upgrade is
	d.told("daemon-reload\ntry-restart lancre-follow.service\ndaemon-reload\ntry-restart lancred.service lancred-pull.service\n")
	d.run("dpkg", "--remove", "lancre", "lancred", "lancre-pkcs11")
	d.told("disable --now lancre-follow.service\ndaemon-reload\n" +
		"disable --now lancred-announce.service\ndisable --now lancred.socket lancred.service lancred-pull.service\ndaemon-reload\n")
	d.run("dpkg", "--purge", "lancre", "lancred", "lancre-pkcs11")
	d.run("sh", "-c", "! command -v lancred && ! command -v lancre && ! command -v lancre-pkcs11")
	if left := d.run("find", "/var/lib/lancre", "-type", "f", "-exec", "sha256sum", "{}", "+"); left != store {
		t.Errorf("of the store\n%s\na purge left\n%s", store, left)
	}
}

// A debian is a small one that packages are installed in.
type debian struct {
	*testing.T
	root string
}

// newDebian is a copy of that of scripts/setup, with the packages in /packages.
func newDebian(t *testing.T) debian {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: only root can install packages: run the test as root to have it")
	}
	programs.Need(t, "debootstrap", "unshare", "chroot")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cache, "lancre", "chroot")); err != nil {
		t.Skip("NOT RUN: there is no Debian to install packages in: run scripts/setup where a mirror of it can be reached")
	}
	d := debian{t, filepath.Join(t.TempDir(), "root")}
	for _, args := range [][]string{
		{"-a", filepath.Join(cache, "lancre", "chroot"), d.root},
		{"-R", built, filepath.Join(d.root, "packages")},
	} {
		if out, err := exec.Command("cp", args...).CombinedOutput(); err != nil {
			t.Fatalf("cp %q: %v: run scripts/setup\n%s", args, err, out)
		}
	}
	return d
}

// run runs a command in it, which must succeed, and returns what it prints.
func (d debian) run(args ...string) string {
	d.Helper()
	out, err := exec.Command("unshare", append([]string{"--pid", "--fork", "--mount-proc", "--root=" + d.root}, args...)...).CombinedOutput()
	if err != nil {
		d.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// serves wants the edge to run as its user, to answer, and to be of the version that its
// package has.
func (d debian) serves() {
	d.Helper()
	bin := d.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nexec chroot --userspec=lancred:lancred %q /usr/bin/lancred \"$@\"\n", d.root)
	if err := os.WriteFile(filepath.Join(bin, "lancred"), []byte(script), 0o755); err != nil {
		d.Fatal(err)
	}
	d.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	lancred := programs.Start(d, "/var/lib/lancre")
	crl := get(d.T, "http://"+lancred.Addr+"/1.crl", "Host: c.demo.test")
	if want := read(d.T, d.root, "var/lib/lancre-origin/demo/static/c.demo.test/1.crl"); crl != want {
		d.Errorf("the CRL has %d octets, want the %d of the one that was signed", len(crl), len(want))
	}
	out, err := exec.Command("openssl", "ocsp", "-issuer", filepath.Join(d.root, "var/lib/lancre-origin/demo/issuer.pem"),
		"-CAfile", filepath.Join(d.root, "var/lib/lancre-origin/demo/issuer.pem"), "-no_nonce", "-url", "http://"+lancred.Addr, "-serial", "0x"+d.good()).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte(": good")) {
		d.Errorf("openssl ocsp: %v, want good\n%s", err, out)
	}
	_, version, _ := strings.Cut(strings.TrimSpace(d.run("lancred", "--version")), " version ")
	metrics := get(d.T, "http://"+lancred.Admin+"/metrics")
	if want := fmt.Sprintf("version=%q} 1\n", version); version == "" || !strings.Contains(metrics, want) {
		d.Errorf("lancre_build_info has no %s, of lancred --version", want)
	}
	if pkg := d.run("dpkg-query", "--show", "--showformat=${Version}", "lancred"); strings.NewReplacer("v", "", "-", ".").Replace(version) != strings.NewReplacer("+", ".", "~", ".").Replace(pkg) {
		d.Errorf("lancred is of version %s, its package of %s", version, pkg)
	}
}

// good is the serial number of a certificate that is good.
func (d debian) good() string {
	for line := range strings.Lines(read(d.T, d.root, "var/lib/lancre-origin/demo/certificates.csv")) {
		if fields := strings.Split(line, ","); fields[1] == "good" {
			return fields[0]
		}
	}
	d.Fatal("no certificate is good")
	return ""
}

// mockManager has maintainer scripts find a service manager that runs, which only writes
// down what it is told.
func (d debian) mockManager() {
	d.Helper()
	d.run("mkdir", "-p", "/run/systemd/system")
	script := "#!/bin/sh\necho \"$@\" >>/told\n"
	if err := os.WriteFile(filepath.Join(d.root, "usr/local/bin/systemctl"), []byte(script), 0o755); err != nil {
		d.Fatal(err)
	}
}

// told wants it to have been told so since the last time.
func (d debian) told(want string) {
	d.Helper()
	if got := read(d.T, d.root, "told"); got != want {
		d.Errorf("maintainer scripts say to systemctl\n%s\nwant\n%s", got, want)
	}
	d.run("rm", "/told")
}

// get is the body of what curl gets.
func get(t *testing.T, url string, headers ...string) string {
	t.Helper()
	args := []string{"-sSf", url}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	out, err := exec.Command("curl", args...).Output()
	if err != nil {
		t.Fatalf("curl %q: %v", args, err)
	}
	return string(out)
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	octets, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}
