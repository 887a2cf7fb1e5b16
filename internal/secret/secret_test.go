package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret that others can read is none; neither is a file that is none of its kind.
func TestReadFile(t *testing.T) {
	for _, tt := range []struct {
		mode    os.FileMode
		content string
		want    string // in the error; "" if it is read
	}{
		{0o600, "secret\n", ""},
		{0o400, "secret\n", ""},
		{0o640, "secret\n", "has mode 0640, want 0600 or less"},
		{0o604, "secret\n", "has mode 0604"},
		{0o620, "secret\n", "has mode 0620"},
		{0o601, "secret\n", "has mode 0601"},
		{0o600, strings.Repeat("x", MaxFile+1), "more than 1048576 octets"},
	} {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, tt.mode); err != nil {
			t.Fatal(err)
		}
		data, err := ReadFile(name)
		if tt.want == "" && (err != nil || string(data) != tt.content) {
			t.Errorf("mode %o: %q, %v", tt.mode, data, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name)) {
			t.Errorf("mode %o: error %v, want %q and the name in it", tt.mode, err, tt.want)
		}
	}
}

func TestReadLine(t *testing.T) {
	for content, want := range map[string]string{
		"1234": "1234", "1234\n": "1234", "1234\r\n": "1234", " 12 34 \nmore\n": " 12 34 ", "": "", "\n1234\n": "",
	} {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadLine(name)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", content, got, err, want)
		}
	}
}
