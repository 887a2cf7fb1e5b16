// Package secret reads keys, passphrases and PINs: from files that nobody but their
// owner can read, and from the terminal. Nothing takes them from a command line, which
// every process of the machine can see.
package secret

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// MaxFile bounds a file with a secret, in octets: an RSA key of 16,384 bits in PEM takes
// 13 kB.
const MaxFile = 1 << 20

// ReadFile reads a file that its group and others can neither read nor write.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what is read, not of what has that name a moment later
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, want 0600 or less: its group or others can use the secret in it (chmod 600 %[1]s)", name, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("%s has more than %d octets: it holds no secret of a kind that is known here", name, MaxFile)
	}
	return data, err
}

// ReadLine is the first line of such a file, without its end: a passphrase or a PIN.
func ReadLine(name string) ([]byte, error) {
	data, err := ReadFile(name)
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return nil, fmt.Errorf("%s: the first line is empty, want the secret there", name)
	}
	return line, nil
}

// Ask asks for a secret on the terminal of the process, wherever its standard input
// comes from, and does not show it.
func Ask(what string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("there is no terminal to ask for the %s: name a file that holds it", what)
	}
	defer tty.Close()
	fmt.Fprintf(tty, "%s: ", what)
	line, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	if err != nil {
		return nil, fmt.Errorf("reading the %s from the terminal: %w", what, err)
	}
	return line, nil
}
