// Package lancre_test holds what is true of the module as a whole.
package lancre_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointOneWay keeps cmd → {build, server} → index: the edge cannot
// come to depend on the parsing of certificates, nor the format on its users.
func TestImportsPointOneWay(t *testing.T) {
	x509 := []string{"crypto/x509", "golang.org/x/crypto/ocsp"}
	http := []string{"net/http", "github.com/valyala/fasthttp"}
	drivers := []string{"github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql", "modernc.org/sqlite"} // 14 MB
	for _, rule := range []struct {
		of      string   // this package and those of this module it reaches
		without []string // import none of these, nor what lies below them
	}{
		{"lancre/index", slices.Concat(x509, http, []string{"lancre/index/store", "lancre/build", "lancre/server"})},
		{"lancre/index/store", slices.Concat(x509, http, []string{"lancre/build", "lancre/server"})},
		{"lancre/build", slices.Concat(http, drivers, []string{"lancre/server"})},
		{"lancre/server", slices.Concat(x509, []string{"lancre/build"})},
		{"lancre/cmd/lancred", slices.Concat(x509, []string{"lancre/build"})},
		{"lancre/cmd/lancre", []string{"lancre/server"}},
	} {
		for pkg, imports := range reached(t, rule.of) {
			for _, imp := range imports {
				if slices.ContainsFunc(rule.without, func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") }) {
					t.Errorf("%s imports %s, which %s must do without", pkg, imp, rule.of)
				}
			}
		}
	}
}

// reached maps each package of this module that pkg depends on, pkg included, to
// what it imports. Tests do not count.
func reached(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", pkg).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	imports := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		if strings.HasPrefix(p.ImportPath, "lancre/") {
			imports[p.ImportPath] = p.Imports
		}
	}
	if imports[pkg] == nil {
		t.Fatalf("go list -deps %s does not list %[1]s itself", pkg)
	}
	return imports
}
