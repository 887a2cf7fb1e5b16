// Package health asks the admin address of a lancred how it is.
package health

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// client opens a connection for each question: a lancred that accepts none any more is
// not well, whatever goes on on those that are open.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Ask returns the generation that the lancred with that admin URL serves, if it says that
// what path stands for is well; else the error says why not.
func Ask(ctx context.Context, method, url, path string) (generation uint64, err error) {
	url = strings.TrimSuffix(url, "/") + path
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var said struct {
		Reason     string
		Generation uint64
	}
	decoded := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&said)
	switch {
	case resp.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("%s: %s: %s", url, resp.Status, cmp.Or(said.Reason, "no reason is given"))
	case decoded != nil:
		return 0, fmt.Errorf("%s: 200 OK, and no report: %w", url, decoded)
	}
	return said.Generation, nil
}
