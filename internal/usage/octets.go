package usage

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"
)

// Octets is the value of a flag that sets n to a size, such as 512MiB.
func Octets(n *int64) pflag.Value { return (*octets)(n) }

type octets int64

// Set implements pflag.Value.
func (o *octets) Set(size string) error {
	n, err := humanize.ParseBytes(size)
	if err != nil || n == 0 || n > math.MaxInt64/2 {
		return fmt.Errorf("%q: want a size, as 512MiB", size)
	}
	*o = octets(n)
	return nil
}

// String implements pflag.Value.
func (o *octets) String() string { return humanize.IBytes(uint64(*o)) }

// Type implements pflag.Value.
func (o *octets) Type() string { return "SIZE" }
