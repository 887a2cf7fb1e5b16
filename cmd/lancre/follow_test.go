package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lancre/origin"
)

// What the configuration of init has in comments are keys that there are.
func TestCommentedKeysExist(t *testing.T) {
	text := regexp.MustCompile(`(?m)^# ([a-z_]+ = |\[\[)`).ReplaceAllString(configuration, "$1")
	if text == configuration {
		t.Fatal("no key is in a comment")
	}
	dir := t.TempDir()
	if status, _, stderr := execute(t, "keygen", "--name", "origin.example.org", "--out", dir); status != exitDone {
		t.Fatal(stderr)
	}
	keys, _ := filepath.Glob(filepath.Join(dir, "*.key")) // the pattern is well-formed
	text = strings.ReplaceAll(text, "/etc/lancre/origin.key", keys[0])
	text = strings.ReplaceAll(text, "/etc/lancre/origin.pub", strings.TrimSuffix(keys[0], ".key")+".pub")
	file := filepath.Join(dir, "lancre.toml")
	text = strings.ReplaceAll(text, "{{.To}}", `"published"`)
	text = regexp.MustCompile(`\{\{.*?\}\}`).ReplaceAllString(text, "")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// Some exclude each other, which is looked at when all are known.
	_, err := origin.Load(file)
	if want := "want one of url and url_file"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
