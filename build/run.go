package build

import "context"

// Run is the build.
func Run(ctx context.Context, c Config) (*Report, error) {
	panic("stub")
}
