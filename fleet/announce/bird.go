package announce

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// A bird speaks to the BIRD routing daemon over its control socket, as birdc does: a line
// is a command, and its answer is lines that begin with a code of four digits. All but
// the last have a dash after it, or begin with a space where the code would be the same.
// Before the first command BIRD greets:
//
//	0001 BIRD 2.0.12 ready.
//	> show protocols "anycast_*"
//	2002-Name       Proto      Table      State  Since         Info
//	1002-anycast_ok    Static     master4    up     12:00:00.001
//	 anycast_stale Static     master4    down   12:00:00.001
//	0000
//	> enable "anycast_ok"
//	0010-anycast_ok: already enabled
//	0000
//
// Codes from 8000 on are errors.
type bird struct {
	conn net.Conn
	in   *bufio.Reader
}

// maxReply bounds an answer of BIRD, in lines: two protocols take four.
const maxReply = 1000

// dialBird connects to the control socket at path.
func dialBird(ctx context.Context, path string, within time.Duration) (*bird, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	b := &bird{conn, bufio.NewReader(conn)}
	if err = conn.SetDeadline(time.Now().Add(within)); err == nil {
		_, err = b.reply()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Close ends the connection, which was good for one Config.Every.
func (b *bird) Close() error { return b.conn.Close() }

// do gives a command and returns the lines of its answer, without codes.
func (b *bird) do(command string) ([]string, error) {
	if _, err := fmt.Fprintf(b.conn, "%s\n", command); err != nil {
		return nil, err
	}
	lines, err := b.reply()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", command, err)
	}
	return lines, nil
}

// reply reads one answer.
func (b *bird) reply() (lines []string, err error) {
	code := ""
	for range maxReply {
		line, err := b.in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		last := false
		switch {
		case len(line) > 0 && line[0] == ' ':
			line = line[1:]
		case len(line) > 4 && (line[4] == '-' || line[4] == ' '):
			code, last, line = line[:4], line[4] == ' ', line[5:]
		default:
			return nil, fmt.Errorf("%.80q is no line of an answer of BIRD", line)
		}
		if code >= "8000" {
			return nil, fmt.Errorf("BIRD says %s %s", code, line)
		}
		lines = append(lines, line)
		if last {
			return lines, nil
		}
	}
	return nil, fmt.Errorf("an answer of BIRD has more than %d lines", maxReply)
}

// isUp reports whether a protocol is up.
func (b *bird) isUp(protocol string) (bool, error) {
	lines, err := b.do(fmt.Sprintf("show protocols %q", protocol))
	if err != nil {
		return false, err
	}
	for _, line := range lines {
		if words := strings.Fields(line); len(words) >= 4 && words[0] == protocol {
			return words[3] == "up", nil
		}
	}
	return false, fmt.Errorf("BIRD has no protocol %s: see deploy/anycast", protocol)
}

// set enables or disables a protocol.
func (b *bird) set(protocol string, up bool) error {
	command := "disable"
	if up {
		command = "enable"
	}
	_, err := b.do(fmt.Sprintf("%s %q", command, protocol))
	return err
}
