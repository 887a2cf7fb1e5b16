// Package traffic is what the load generator reads and what it answers with.
package traffic

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"os"
)

// An Exchange is one HTTP request and what may answer it.
type Exchange struct {
	Request     []byte   // as it goes over the wire
	Bodies      [][]byte // each is a right answer
	NotModified bool     // the answer is 304, in place of 200
}

// Status is that of the right answer.
func (e *Exchange) Status() int {
	if e.NotModified {
		return 304
	}
	return 200
}

// Save writes exchanges to a new file at path.
func Save(path string, list []Exchange) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := gob.NewEncoder(w).Encode(list); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// Read reads what Save wrote.
func Read(path string) (list []Exchange, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := gob.NewDecoder(bufio.NewReader(f)).Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no exchange in it", path)
	}
	return list, nil
}
