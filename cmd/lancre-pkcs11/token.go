//go:build cgo

package main

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/miekg/pkcs11"

	"lancre/sign/child"
)

// A token is a key in an HSM and a pool of sessions to sign by it. It is a crypto.Signer,
// safe for concurrent use: more callers than there are sessions wait. An error of Sign
// that is no child.Refusal means that the token is of no use any more: sessions that have
// ended come back, if at all, for a process that begins anew.
type token struct {
	module   *pkcs11.Ctx
	private  pkcs11.ObjectHandle
	public   crypto.PublicKey
	sessions chan pkcs11.SessionHandle
}

// open logs in to the token and finds the key, once.
func open(o *options) (*token, error) {
	t := &token{module: pkcs11.New(o.module)}
	if t.module == nil {
		return nil, fmt.Errorf("module %s is no PKCS #11 library that can be loaded here: %w", o.module, errHopeless)
	}
	if err := t.module.Initialize(); err != nil {
		return nil, fmt.Errorf("module %s: initializing it: %w", o.module, err)
	}
	slot, label, err := t.findSlot(o.token)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", o.module, err)
	}
	if err = t.openSessions(slot, o.sessions); err == nil {
		err = t.login(o, label)
	}
	if err == nil {
		err = t.findKey(o)
	}
	if err != nil {
		return nil, fmt.Errorf("token %s: %w", label, err)
	}
	return t, nil
}

// close closes the sessions, of which none is in use.
func (t *token) close() error {
	defer t.module.Destroy()
	return t.module.Finalize()
}

// findSlot finds the token of that label; the only one, if it is "".
func (t *token) findSlot(want string) (slot uint, label string, err error) {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return 0, "", fmt.Errorf("listing the tokens: %w", err)
	}
	var labels []string
	meant := 0
	for _, s := range slots {
		info, err := t.module.GetTokenInfo(s)
		if err != nil || info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		own := strings.TrimRight(info.Label, " \x00")
		labels = append(labels, own)
		if want == "" || want == own {
			meant++
			slot, label = s, own
		}
	}
	if meant != 1 {
		return 0, "", fmt.Errorf("--token %q means %d of the tokens %q, want one", want, meant, labels)
	}
	return slot, label, nil
}

func (t *token) openSessions(slot uint, n int) error {
	t.sessions = make(chan pkcs11.SessionHandle, n)
	for i := range n {
		s, err := t.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			return fmt.Errorf("opening session %d of %d: %w (fewer: --sessions)", i+1, n, err)
		}
		t.sessions <- s
	}
	return nil
}

// wrongPIN are the errors after which the same PIN is not to be tried again: the token
// counts.
var wrongPIN = []error{
	pkcs11.Error(pkcs11.CKR_PIN_INCORRECT), pkcs11.Error(pkcs11.CKR_PIN_INVALID), pkcs11.Error(pkcs11.CKR_PIN_LEN_RANGE),
	pkcs11.Error(pkcs11.CKR_PIN_EXPIRED), pkcs11.Error(pkcs11.CKR_PIN_LOCKED), pkcs11.Error(pkcs11.CKR_USER_PIN_NOT_INITIALIZED),
}

// login logs in all sessions: PKCS #11 does so for a whole process.
func (t *token) login(o *options, label string) error {
	pin, err := o.pin(label)
	if err != nil {
		return fmt.Errorf("%w: %w", err, errHopeless)
	}
	s := <-t.sessions
	defer t.put(s)
	err = t.module.Login(s, pkcs11.CKU_USER, pin)
	switch {
	case slices.Contains(wrongPIN, err):
		return fmt.Errorf("logging in: %w: %w", err, errHopeless)
	case err != nil:
		return fmt.Errorf("logging in: %w", err)
	}
	return nil
}

func (t *token) put(s pkcs11.SessionHandle) { t.sessions <- s }

// findKey finds the one private key that is meant, and its public half.
func (t *token) findKey(o *options) error {
	s := <-t.sessions
	defer t.put(s)
	want := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}
	if o.label != "" {
		want = append(want, pkcs11.NewAttribute(pkcs11.CKA_LABEL, o.label))
	}
	if o.id != "" {
		id, err := hex.DecodeString(o.id)
		if err != nil {
			return fmt.Errorf("--id %s: want hexadecimal digits: %w", o.id, errHopeless)
		}
		want = append(want, pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	keys, err := t.find(s, want)
	if err != nil {
		return err
	}
	if len(keys) != 1 {
		return fmt.Errorf("%d private keys have the label %q and the id %q, want one: name it by --label and --id: %w", len(keys), o.label, o.id, errHopeless)
	}
	t.private = keys[0]
	if t.public, err = t.publicKey(s); err != nil {
		err = fmt.Errorf("%w: %w", err, errHopeless)
	}
	return err
}

// find returns the objects with all those attributes, up to a few.
func (t *token) find(s pkcs11.SessionHandle, want []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	const few = 10
	if err := t.module.FindObjectsInit(s, want); err != nil {
		return nil, fmt.Errorf("looking for the key: %w", err)
	}
	found, _, err := t.module.FindObjects(s, few)
	if err = errors.Join(err, t.module.FindObjectsFinal(s)); err != nil {
		return nil, fmt.Errorf("looking for the key: %w", err)
	}
	return found, nil
}

// Public implements crypto.Signer.
func (t *token) Public() crypto.PublicKey { return t.public }

// refusals are the errors of a request, not of the session.
var refusals = []error{
	pkcs11.Error(pkcs11.CKR_DATA_LEN_RANGE), pkcs11.Error(pkcs11.CKR_DATA_INVALID), pkcs11.Error(pkcs11.CKR_MECHANISM_INVALID),
	pkcs11.Error(pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED), pkcs11.Error(pkcs11.CKR_KEY_TYPE_INCONSISTENT), pkcs11.Error(pkcs11.CKR_KEY_SIZE_RANGE),
}

// Sign implements crypto.Signer. It needs no randomness.
func (t *token) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	m, err := mechanismOf(t.public, digest, opts.HashFunc())
	if err != nil {
		return nil, child.Refusal{Reason: err.Error()}
	}
	s := <-t.sessions
	defer t.put(s)
	if err = t.module.SignInit(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(m.id, nil)}, t.private); err != nil {
		return nil, failed("C_SignInit", err)
	}
	signature, err := t.module.Sign(s, m.input)
	if err != nil {
		return nil, failed("C_Sign", err)
	}
	return m.encode(signature)
}

func failed(call string, err error) error {
	if slices.Contains(refusals, err) {
		return child.Refusal{Reason: fmt.Sprintf("%s: %v", call, err)}
	}
	return fmt.Errorf("%s: %w", call, err)
}
