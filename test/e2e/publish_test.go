package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/programs"
	"lancre/internal/versity"
)

// TestPublish takes a store from its origin to a real bucket and back, as docs/FLEET.md
// has it: signed, past a canary, read by those who have no credentials, and restored.
func TestPublish(t *testing.T) {
	programs.Need(t, "curl")
	dir, g := t.TempDir(), versity.Start(t)
	sh(t, dir, `
		mkdir keys
		for key in origin stranger; do
			lancre keygen --name origin.example.org --out keys
			mv keys/*.key $key.key
			mv keys/*.pub $key.pub
		done
		lancre demo --out demo --responses 20
		lancre build --out store --issuer demo/issuer.pem --responses demo/responses.der --static demo/static \
			--manifest-key origin.key --expires 1h
	`)
	canary := programs.Start(t, filepath.Join(dir, "store"), "--trust", filepath.Join(dir, "origin.pub"))
	vars := append(g.Env(), "URL="+g.URL+"/status", "CANARY=http://"+canary.Admin)
	sh(t, dir, `lancre publish store --to s3://status/lancre --trust origin.pub --canary $CANARY`, vars...)

	// The bucket is its owner's until the policy says otherwise, and then anybody's to
	// read and nobody else's to write.
	status := func(request string) string {
		t.Helper()
		return sh(t, dir, `curl -sS -o body -w '%{http_code}' `+request, vars...)
	}
	if got := status(`$URL/lancre/manifest`); got != "403" {
		t.Errorf("before the policy, the manifest is answered %s", got)
	}
	g.LetAnybodyRead(t, "../../deploy/bucket/policy.json")
	for request, want := range map[string]string{
		`-T demo/issuer.pem $URL/lancre/manifest`:           "403",
		`-X DELETE $URL/lancre/manifest`:                    "403",
		`"$URL?list-type=2"`:                                "403",
		`$URL/lancre/none`:                                  "404",
		`$URL/lancre/manifest`:                              "200",
		`$URL/lancre/objects/$(ls store/objects | head -1)`: "200",
	} {
		if got := status(request); got != want {
			t.Errorf("curl %s: answered %s, want %s", request, got, want)
		}
	}
	sh(t, dir, `
		lancre restore --from $URL/lancre --trust origin.pub --out again
		lancre verify again --trust origin.pub
		cmp again/manifest store/manifest
	`, vars...)
	for name, want := range map[string]string{"manifest": "no-cache", "objects/$(ls store/objects | head -1)": "public, max-age=31536000, immutable"} {
		head := sh(t, dir, `curl -sS --fail -I $URL/lancre/`+name, vars...)
		if !strings.Contains(strings.ToLower(head), "cache-control: "+want+"\r\n") {
			t.Errorf("%s has no Cache-Control: %s:\n%s", name, want, head)
		}
		if strings.Contains(strings.ToLower(head), "content-encoding:") { // which edges do not take
			t.Errorf("%s is encoded:\n%s", name, head)
		}
	}

	// What the canary refuses does not reach the bucket.
	published := filepath.Join(g.Dir, "lancre", "manifest")
	before := readFile(t, published)
	sh(t, dir, `lancre add store --unpublish $(awk '$1 == "file" { print $2 $3; exit }' store/objects/$(awk '$1 == "files" { print $4 }' store/manifest)) --manifest-key stranger.key`)
	out, err := try(t, dir, `lancre publish store --to s3://status/lancre --canary $CANARY`, vars...)
	if err == nil || !strings.Contains(out, "409 Conflict: ") || !strings.Contains(out, "want one of origin.example.org+") {
		t.Errorf("%v, want the canary to refuse a stranger's generation:\n%s", err, out)
	}
	if !bytes.Equal(readFile(t, published), before) {
		t.Error("it is published")
	}
}
