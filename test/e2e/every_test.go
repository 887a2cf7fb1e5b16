package e2e

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
	"lancre/internal/programs"
)

// everyResponse is how many responses TestEveryResponseIsServed signs, as the flag
// of lancre demo has it; LANCRE_E2E_RESPONSES sets another number.
const everyResponse = "20000"

// TestEveryResponseIsServed asks for every certificate of a large store and wants
// the very octets that were signed.
func TestEveryResponseIsServed(t *testing.T) {
	programs.Need(t, "openssl")
	n := os.Getenv("LANCRE_E2E_RESPONSES")
	if n == "" {
		n = everyResponse
	}
	dir := t.TempDir()
	sh(t, dir, `lancre demo --out demo --responses $N`, "N="+n)
	d := programs.Start(t, filepath.Join(dir, "demo", "store"))

	const clients = 8
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}} // each keeps its connection
	questions := make(chan []byte, 1000)                                             // responses, to be asked for
	var asking sync.WaitGroup
	for range clients {
		asking.Go(func() {
			for want := range questions {
				askFor(t, client, "http://"+d.Addr+"/", want)
			}
		})
	}
	in := cryptobyte.String(readFile(t, filepath.Join(dir, "demo", "responses.der")))
	for !in.Empty() && !t.Failed() {
		var der cryptobyte.String
		if !in.ReadASN1Element(&der, asn1.SEQUENCE) {
			t.Fatal("responses.der holds something else than responses")
		}
		questions <- der
	}
	close(questions)
	asking.Wait()
	client.CloseIdleConnections()
}

// askFor wants the response want, by GET or by POST.
func askFor(t *testing.T, client *http.Client, base string, want []byte) {
	var r index.Response
	if err := r.Parse(want); err != nil {
		t.Error(err)
		return
	}
	request := r.Singles[0].CertID.Request(nil)
	var resp *http.Response
	var err error
	if request[len(request)-1]%2 == 0 {
		resp, err = client.Get(base + url.PathEscape(base64.StdEncoding.EncodeToString(request)))
	} else {
		resp, err = client.Post(base, "application/ocsp-request", bytes.NewReader(request))
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("%s: status %d, %v:\n got %x\nwant %x", &r.Singles[0].CertID, resp.StatusCode, err, got, want)
	}
}
