package ca

import "fmt"

// MaxSerial is the longest magnitude of a serial number, in octets (RFC 5280 section
// 4.1.2.2).
const MaxSerial = 20

// SerialFault says what is wrong with a serial number, the content octets of a DER
// INTEGER: "" if nothing is.
func SerialFault(serial []byte) string {
	switch {
	case serial[0] >= 0x80 || len(serial) == 1 && serial[0] == 0:
		return "is not positive"
	case len(serial) > MaxSerial+1 || len(serial) == MaxSerial+1 && serial[0] != 0:
		return fmt.Sprintf("has %d octets, want at most %d", len(serial), MaxSerial)
	}
	return ""
}

// SerialWithSign reports whether a serial number, otherwise as it should be, is too long
// for clients that count its sign octet.
func SerialWithSign(serial []byte) bool { return len(serial) == MaxSerial+1 && serial[0] == 0 }
