package build

// stdinSource names standard input among the sources.
const stdinSource = "-"
